package chart

import "strings"

// textSize is the size of all texts, in SVG units.
const textSize = 12.0

// widths are those of the characters from the space to ~ in Arial, in thousandths of the size.
// Liberation Sans and Helvetica have the same.
var widths = [...]int16{
	278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
	556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
	667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
	333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
	556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
}

// textWidth returns about how wide a text is, in SVG units.
func textWidth(text string) float64 {
	sum := 0
	for _, r := range text {
		switch {
		case r >= ' ' && r <= '~':
			sum += int(widths[r-' '])
		case strings.ContainsRune("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", r):
			sum += 400
		case r < 0x2e80:
			sum += 700
		default:
			sum += 1000
		}
	}
	return float64(sum) / 1000 * textSize * 1.15 // another font may be wider
}

// shorten returns a text that is at most that wide, with an ellipsis for what it leaves out.
func shorten(text string, most float64) string {
	if textWidth(text) <= most {
		return text
	}
	runes := []rune(text)
	for len(runes) > 0 && textWidth(string(runes)+"…") > most {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}
