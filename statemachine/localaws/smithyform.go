package localaws

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/document"
	smithytime "github.com/aws/smithy-go/time"
)

// formReader reads shapes from the parameters of AWS's query protocol. It implements [smithy.ShapeDeserializer].
type formReader struct {
	at   *formNode
	open []formFrame
}

// formFrame is a shape of which the members are being read.
type formFrame struct {
	schema *smithy.Schema // of a structure
	node   *formNode
	names  []string    // the members of a structure that are left
	items  []*formNode // the items of a list or map that are left
}

// text returns the value at the current place.
func (f *formReader) text() (string, error) {
	if len(f.at.children) > 0 {
		return "", errors.New("a structure or list stands where a value is expected")
	}
	return f.at.value, nil
}

// readFormValue reads a value with the function parse.
func readFormValue[T any](f *formReader, to *T, parse func(string) (T, error)) error {
	text, err := f.text()
	if err == nil {
		*to, err = parse(text)
	}
	return err
}

// parseSigned returns a function that parses integers of a size.
func parseSigned[T int8 | int16 | int32 | int64](bits int) func(string) (T, error) {
	return func(text string) (T, error) {
		n, err := strconv.ParseInt(text, 10, bits)
		return T(n), err
	}
}

// ReadInt8 implements [smithy.ShapeDeserializer].
func (f *formReader) ReadInt8(_ *smithy.Schema, v *int8) error {
	return readFormValue(f, v, parseSigned[int8](8))
}

// ReadInt16 implements [smithy.ShapeDeserializer].
func (f *formReader) ReadInt16(_ *smithy.Schema, v *int16) error {
	return readFormValue(f, v, parseSigned[int16](16))
}

// ReadInt32 implements [smithy.ShapeDeserializer].
func (f *formReader) ReadInt32(_ *smithy.Schema, v *int32) error {
	return readFormValue(f, v, parseSigned[int32](32))
}

// ReadInt64 implements [smithy.ShapeDeserializer].
func (f *formReader) ReadInt64(_ *smithy.Schema, v *int64) error {
	return readFormValue(f, v, parseSigned[int64](64))
}

// ReadFloat32 implements [smithy.ShapeDeserializer].
func (f *formReader) ReadFloat32(_ *smithy.Schema, v *float32) error {
	return readFormValue(f, v, func(text string) (float32, error) {
		n, err := parseDouble(text)
		return float32(n), err
	})
}

// ReadFloat64 implements [smithy.ShapeDeserializer].
func (f *formReader) ReadFloat64(_ *smithy.Schema, v *float64) error {
	return readFormValue(f, v, parseDouble)
}

// parseDouble parses a decimal number, or one of the words that stand for no finite number.
func parseDouble(text string) (float64, error) {
	switch text {
	case "NaN":
		return math.NaN(), nil
	case "Infinity":
		return math.Inf(1), nil
	case "-Infinity":
		return math.Inf(-1), nil
	}
	if strings.Trim(text, "0123456789.eE+-") != "" {
		return 0, fmt.Errorf("%q is not a decimal number", text)
	}
	return strconv.ParseFloat(text, 64)
}

// ReadBool implements [smithy.ShapeDeserializer].
func (f *formReader) ReadBool(_ *smithy.Schema, v *bool) error {
	return readFormValue(f, v, func(text string) (bool, error) {
		if !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
			return false, fmt.Errorf("%q is neither true nor false", text)
		}
		return strings.EqualFold(text, "true"), nil
	})
}

// ReadString implements [smithy.ShapeDeserializer].
func (f *formReader) ReadString(_ *smithy.Schema, v *string) error {
	return readFormValue(f, v, func(text string) (string, error) { return text, nil })
}

// ReadBlob implements [smithy.ShapeDeserializer].
func (f *formReader) ReadBlob(_ *smithy.Schema, v *[]byte) error {
	return readFormValue(f, v, base64.StdEncoding.DecodeString)
}

// ReadTime implements [smithy.ShapeDeserializer]. A time is in ISO 8601: with or without an offset, which is then UTC.
func (f *formReader) ReadTime(_ *smithy.Schema, v *time.Time) error {
	return readFormValue(f, v, func(text string) (time.Time, error) {
		at, err := smithytime.ParseDateTime(text)
		for _, layout := range []string{"2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02"} {
			if err == nil {
				break
			}
			at, err = time.Parse(layout, text)
		}
		return at, err
	})
}

// ReadNil implements [smithy.ShapeDeserializer]: there are no nulls.
func (f *formReader) ReadNil(*smithy.Schema) (bool, error) { return false, nil }

// ReadStruct implements [smithy.ShapeDeserializer].
func (f *formReader) ReadStruct(s *smithy.Schema) error {
	if f.at.given && f.at.value != "" {
		return fmt.Errorf("%q stands where a structure is expected", f.at.value)
	}
	f.open = append(f.open, formFrame{schema: s, node: f.at, names: slices.Sorted(maps.Keys(f.at.children))})
	return nil
}

// ReadStructMember implements [smithy.ShapeDeserializer]. It skips parameters that the structure does not have.
func (f *formReader) ReadStructMember() (*smithy.Schema, error) {
	top := &f.open[len(f.open)-1]
	for len(top.names) > 0 {
		name := top.names[0]
		top.names = top.names[1:]
		if member := memberOf(top.schema, name); member != nil {
			f.at = top.node.children[name]
			return member, nil
		}
	}
	f.open = f.open[:len(f.open)-1]
	return nil, nil
}

// memberOf returns a member of a structure; nil if it has none of that name.
func memberOf(s *smithy.Schema, name string) *smithy.Schema {
	if s == nil {
		return nil
	}
	return s.Member(name)
}

// ReadList implements [smithy.ShapeDeserializer].
func (f *formReader) ReadList(*smithy.Schema) error {
	items, err := f.at.items("member")
	f.open = append(f.open, formFrame{items: items})
	return err
}

// ReadListItem implements [smithy.ShapeDeserializer].
func (f *formReader) ReadListItem(*smithy.Schema) (bool, error) {
	top := &f.open[len(f.open)-1]
	if len(top.items) == 0 {
		f.open = f.open[:len(f.open)-1]
		return false, nil
	}
	f.at, top.items = top.items[0], top.items[1:]
	return true, nil
}

// ReadMap implements [smithy.ShapeDeserializer].
func (f *formReader) ReadMap(*smithy.Schema) error {
	items, err := f.at.items("entry")
	f.open = append(f.open, formFrame{items: items})
	return err
}

// ReadMapKey implements [smithy.ShapeDeserializer].
func (f *formReader) ReadMapKey(*smithy.Schema) (string, bool, error) {
	if more, err := f.ReadListItem(nil); !more {
		return "", false, err
	}
	key, value := f.at.children["key"], f.at.children["value"]
	if key == nil || value == nil {
		return "", true, errors.New("an entry of a map has a key and a value")
	}
	f.at = value
	return key.value, true, nil
}

// errNotInForm is the error of shapes that no operation of a service with the query protocol has.
var errNotInForm = errors.New("the local AWS's query protocol does not support this shape")

// ReadUnion implements [smithy.ShapeDeserializer].
func (f *formReader) ReadUnion(*smithy.Schema) (*smithy.Schema, error) { return nil, errNotInForm }

// ReadDocument implements [smithy.ShapeDeserializer].
func (f *formReader) ReadDocument(*smithy.Schema, *document.Value) error { return errNotInForm }

// ReadBigInt implements [smithy.ShapeDeserializer].
func (f *formReader) ReadBigInt(*smithy.Schema, *big.Int) error { return errNotInForm }

// ReadBigFloat implements [smithy.ShapeDeserializer].
func (f *formReader) ReadBigFloat(*smithy.Schema, *big.Float) error { return errNotInForm }
