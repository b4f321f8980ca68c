package localaws

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Bounds of CBOR bodies. Those of CloudWatch's own requests are nested about ten deep.
const (
	deepestCBOR = 64
	smallCBOR   = 64 << 10 // bytes, up to which no nesting exhausts the stack
	unbounded   = math.MaxUint64
)

// checkCBORDepth returns an error for a body whose values are nested too deep for the SDK's reader: it skips unknown members by
// recursion without a limit, and a stack overflow ends the process. A malformed body is left to the reader.
func checkCBORDepth(body []byte) error {
	if len(body) <= smallCBOR {
		return nil
	}
	open := []uint64{1} // how many items each open value still needs; unbounded until a break
	for len(body) > 0 && len(open) > 0 {
		if len(open) > deepestCBOR {
			return fmt.Errorf("its values are nested more than %d deep", deepestCBOR)
		}
		major, arg, rest, ok := cborHead(body)
		if !ok {
			return nil
		}
		body = rest
		switch {
		case major == 7 && arg == unbounded: // a break
			open = open[:len(open)-1]
		case major == 6: // a tag
			open = append(open, 1)
			continue
		case major >= 2 && major <= 5 && arg == unbounded, major == 4 && arg > 0:
			open = append(open, arg)
			continue
		case major == 5 && arg > 0:
			open = append(open, 2*min(arg, unbounded/4))
			continue
		case major == 2 || major == 3:
			if arg > uint64(len(body)) {
				return nil
			}
			body = body[arg:]
		}
		open = completed(open)
	}
	return nil
}

// completed counts an item that is complete, and closes the values that are complete with it.
func completed(open []uint64) []uint64 {
	for i := len(open) - 1; i >= 0 && open[i] != unbounded; i-- {
		if open[i]--; open[i] > 0 {
			break
		}
		open = open[:i]
	}
	return open
}

// cborHead reads an item's head: its major type and its argument, which is unbounded for an indefinite length and for a break.
func cborHead(body []byte) (major byte, arg uint64, rest []byte, ok bool) {
	major, info, rest := body[0]>>5, body[0]&31, body[1:]
	switch {
	case info < 24:
		return major, uint64(info), rest, true
	case info == 31:
		return major, unbounded, rest, true
	case info > 27 || len(rest) < 1<<(info-24):
		return 0, 0, nil, false
	}
	size := 1 << (info - 24)
	var wide [8]byte
	copy(wide[8-size:], rest[:size])
	return major, min(binary.BigEndian.Uint64(wide[:]), unbounded-1), rest[size:], true
}
