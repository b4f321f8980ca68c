package rehearsal

import (
	"math"
	"time"
)

// Day describes how traffic varies over the day (UTC): it is a cosine around the mean
// rate. A rehearsal starts at 12:00 if its scenario has no Start.
type Day struct {
	// Amplitude is the share of the mean rate by which it rises and falls, in [0, 1].
	Amplitude float64 `json:"amplitude"`
	// PeakHour is the hour of the highest rate, in [0, 24].
	PeakHour float64 `json:"peak-hour"`
}

// rate returns the mean rate of requests at a time, per second.
func (s *Scenario) rate(at time.Time) float64 {
	if s.Day == nil {
		return s.RequestsPerSecond
	}
	hour := float64(at.Unix()%86400) / 3600
	return s.RequestsPerSecond * (1 + s.Day.Amplitude*math.Cos(2*math.Pi*(hour-s.Day.PeakHour)/24))
}
