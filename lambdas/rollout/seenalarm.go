package rollout

import (
	"fmt"
	"strings"
	"time"
)

// SeenAlarm is what a check knew of an alarm. The next one compares it with what it
// reads. In JSON it is a short text, as there may be a hundred:
// "OK 2026-01-02T15:04:05.678Z gaps".
type SeenAlarm struct {
	// OK means that it was in the state OK.
	OK bool
	// Since is when it last changed its state, in UTC and in milliseconds, as CloudWatch
	// has it; zero if that is unknown.
	Since time.Time
	// Gaps means that it has had too little data in this rollout, so that it may have
	// again.
	Gaps bool
}

const (
	seenOK     = "OK "
	seenNotOK  = "- "
	seenGaps   = " gaps"
	seenFormat = "2006-01-02T15:04:05.000Z"
)

// MarshalText implements [encoding.TextMarshaler].
func (a SeenAlarm) MarshalText() ([]byte, error) {
	text := seenNotOK
	if a.OK {
		text = seenOK
	}
	text += a.Since.UTC().Format(seenFormat)
	if a.Gaps {
		text += seenGaps
	}
	return []byte(text), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (a *SeenAlarm) UnmarshalText(text []byte) error {
	rest, ok := strings.CutPrefix(string(text), seenOK)
	if !ok {
		rest = strings.TrimPrefix(rest, seenNotOK)
	}
	since, gaps := strings.CutSuffix(rest, seenGaps)
	at, err := time.Parse(seenFormat, since)
	if err != nil {
		return fmt.Errorf("reading an alarm that was seen: %w", err)
	}
	*a = SeenAlarm{OK: ok, Since: at, Gaps: gaps}
	return nil
}
