package telemetry

import (
	"io"
	"log/slog"
)

// NewLogger returns a logger that writes one JSON object per line, as CloudWatch Logs
// Insights reads it. A line with the attribute Metrics is a document in the embedded
// metric format, with the metrics in that namespace.
func NewLogger(w io.Writer, namespace string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Value.Kind() == slog.KindAny {
				if l, ok := a.Value.Any().(line); ok {
					return l.embedded(namespace)
				}
			}
			return a
		},
	}))
}

// The member of a document that describes to CloudWatch which others are metrics, with
// the names of the specification.
type (
	metadata struct {
		Timestamp         int64 // ms
		CloudWatchMetrics []directive
	}
	directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []definition
	}
	definition struct{ Name, Unit string }
)

// embedded returns the line's members of the document, as a group without a key, so
// that they are at its root.
func (l line) embedded(namespace string) slog.Attr {
	about := metadata{Timestamp: l.at.UnixMilli()}
	var members []any
	written := map[string]bool{}
	for _, m := range l.metrics {
		dimensions := []string{}
		for _, d := range m.dimensions {
			dimensions = append(dimensions, d.name)
			if !written[d.name] {
				written[d.name] = true
				members = append(members, slog.String(d.name, d.value))
			}
		}
		about.CloudWatchMetrics = append(about.CloudWatchMetrics, directive{namespace, [][]string{dimensions}, []definition{{m.name, m.unit}}})
		members = append(members, slog.Float64(m.name, m.value))
	}
	return slog.Group("", append(members, slog.Any("_aws", about))...)
}
