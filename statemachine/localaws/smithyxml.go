package localaws

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/document"
)

// xmlWriter writes shapes as the XML of AWS's query protocol: items of lists are elements "member", entries of maps are
// elements "entry" with a "key" and a "value". It implements [smithy.ShapeSerializer].
type xmlWriter struct {
	root string // the name of the outermost element
	body bytes.Buffer
	open []xmlFrame
}

// xmlFrame is an element that is not closed yet.
type xmlFrame struct {
	name string
	list bool // its content is a list
	maps bool // its content is a map
}

// name returns the name of the element for a shape at the current place.
func (x *xmlWriter) name(s *smithy.Schema) string {
	switch {
	case len(x.open) == 0:
		return x.root
	case x.open[len(x.open)-1].list:
		return "member"
	case x.open[len(x.open)-1].maps:
		return "value"
	}
	return s.MemberName()
}

func (x *xmlWriter) begin(name string, list, maps bool) {
	x.body.WriteString("<" + name + ">")
	x.open = append(x.open, xmlFrame{name, list, maps})
}

func (x *xmlWriter) end() {
	x.body.WriteString("</" + x.open[len(x.open)-1].name + ">")
	x.open = x.open[:len(x.open)-1]
	x.endEntry()
}

// endEntry closes the entry of a map whose value has been written.
func (x *xmlWriter) endEntry() {
	if len(x.open) > 0 && x.open[len(x.open)-1].maps {
		x.body.WriteString("</entry>")
	}
}

func (x *xmlWriter) element(s *smithy.Schema, text string) {
	name := x.name(s)
	x.body.WriteString("<" + name + ">")
	_ = xml.EscapeText(&x.body, []byte(text)) // a buffer takes everything
	x.body.WriteString("</" + name + ">")
	x.endEntry()
}

// Bytes implements [smithy.ShapeSerializer].
func (x *xmlWriter) Bytes() []byte { return x.body.Bytes() }

// WriteInt8 implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteInt8(s *smithy.Schema, v int8) { x.WriteInt64(s, int64(v)) }

// WriteInt16 implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteInt16(s *smithy.Schema, v int16) { x.WriteInt64(s, int64(v)) }

// WriteInt32 implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteInt32(s *smithy.Schema, v int32) { x.WriteInt64(s, int64(v)) }

// WriteInt64 implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteInt64(s *smithy.Schema, v int64) { x.element(s, strconv.FormatInt(v, 10)) }

// WriteFloat32 implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteFloat32(s *smithy.Schema, v float32) { x.WriteFloat64(s, float64(v)) }

// WriteFloat64 implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteFloat64(s *smithy.Schema, v float64) { x.element(s, formatDouble(v)) }

// formatDouble writes a number as AWS does in XML and in texts: with at least one digit after the point, and with an exponent
// from 10 million on and below a thousandth.
func formatDouble(v float64) string {
	switch abs := math.Abs(v); {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 0):
		return strings.TrimPrefix(strconv.FormatFloat(v, 'f', -1, 64), "+") + "inity"
	case abs != 0 && (abs < 1e-3 || abs >= 1e7):
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'E', -1, 64), "E")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		sign := ""
		if exponent[0] == '-' {
			sign = "-"
		}
		return mantissa + "E" + sign + strings.TrimLeft(exponent, "+-0")
	}
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// WriteBool implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteBool(s *smithy.Schema, v bool) { x.element(s, strconv.FormatBool(v)) }

// WriteString implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteString(s *smithy.Schema, v string) { x.element(s, v) }

// WriteBigInt implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteBigInt(s *smithy.Schema, v *big.Int) { x.element(s, v.String()) }

// WriteBigFloat implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteBigFloat(s *smithy.Schema, v *big.Float) { x.element(s, v.String()) }

// WriteBlob implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteBlob(s *smithy.Schema, v []byte) {
	x.element(s, base64.StdEncoding.EncodeToString(v))
}

// WriteTime implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteTime(s *smithy.Schema, v time.Time) {
	x.element(s, v.UTC().Format(wireTime))
}

// WriteUnion implements [smithy.ShapeSerializer]: a union is an element with one member.
func (x *xmlWriter) WriteUnion(s, _ *smithy.Schema) { x.begin(x.name(s), false, false) }

// CloseUnion implements [smithy.ShapeSerializer].
func (x *xmlWriter) CloseUnion() { x.end() }

// WriteDocument implements [smithy.ShapeSerializer]: no service with the query protocol has documents.
func (x *xmlWriter) WriteDocument(*smithy.Schema, document.Value) {}

// WriteNil implements [smithy.ShapeSerializer]: what is absent has no element, except in a list.
func (x *xmlWriter) WriteNil(s *smithy.Schema) {
	if len(x.open) > 0 && (x.open[len(x.open)-1].list || x.open[len(x.open)-1].maps) {
		x.element(s, "")
	}
}

// WriteStruct implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteStruct(s *smithy.Schema) { x.begin(x.name(s), false, false) }

// CloseStruct implements [smithy.ShapeSerializer].
func (x *xmlWriter) CloseStruct() { x.end() }

// WriteList implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteList(s *smithy.Schema) { x.begin(x.name(s), true, false) }

// CloseList implements [smithy.ShapeSerializer].
func (x *xmlWriter) CloseList() { x.end() }

// WriteMap implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteMap(s *smithy.Schema) { x.begin(x.name(s), false, true) }

// WriteKey implements [smithy.ShapeSerializer].
func (x *xmlWriter) WriteKey(_ *smithy.Schema, key string) {
	x.body.WriteString("<entry><key>")
	_ = xml.EscapeText(&x.body, []byte(key)) // a buffer takes everything
	x.body.WriteString("</key>")
}

// CloseMap implements [smithy.ShapeSerializer].
func (x *xmlWriter) CloseMap() { x.end() }
