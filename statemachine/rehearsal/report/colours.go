package report

import (
	"image/color"
	"strings"
)

// Charts are drawn in these colours, which byStyleSheet then replaces by the style
// sheet's: it has different ones for light and dark screens, and for print. Black
// is not used, as it is left out of an SVG file.
var (
	ink        = color.NRGBA{R: 1, G: 1, B: 1, A: 255}
	quiet      = color.NRGBA{R: 1, G: 1, B: 2, A: 255}
	grid       = color.NRGBA{R: 1, G: 1, B: 3, A: 255}
	baseline   = color.NRGBA{R: 1, G: 1, B: 4, A: 255}
	newVersion = color.NRGBA{R: 1, G: 1, B: 5, A: 255}
	limit      = color.NRGBA{R: 1, G: 1, B: 6, A: 255}
	// The uncertainty around a version's line.
	baselineBand   = color.NRGBA{R: 1, G: 1, B: 7, A: 255}
	newVersionBand = color.NRGBA{R: 1, G: 1, B: 8, A: 255}
)

var byStyleSheet = strings.NewReplacer(
	"#010101", "var(--ink)", "#010102", "var(--quiet)", "#010103", "var(--grid)",
	"#010104", "var(--baseline)", "#010105", "var(--new)", "#010106", "var(--limit)",
	"#010107", "var(--baseline);fill-opacity:.2", "#010108", "var(--new);fill-opacity:.2",
	// The style sheet sets the fonts as well.
	"font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal;", "",
	"font-family:Liberation Sans;font-variant:normal;font-weight:bold;font-style:normal;", "font-weight:bold;",
)
