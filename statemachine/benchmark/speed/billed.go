package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/aws/smithy-go/encoding/cbor"
)

// spied is the handler of a world, which shows each call first.
type spied struct{ world *world }

func (s spied) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.world.spy != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.world.spy(body, r)
	}
	s.world.server.ServeHTTP(w, r)
}

// billedMetrics returns how many metrics AWS bills for a check that is not the first: of
// each call of GetMetricData, a metric counts once for up to five of its statistics.
func billedMetrics(t tree) (float64, error) {
	r, err := newRollout(t)
	if err != nil {
		return 0, err
	}
	defer r.world.close()
	if _, err := r.invoke("healthcheck", 1); err != nil { // reads the days before, too
		return 0, err
	}
	var mutex sync.Mutex // calls are concurrent
	billed, failed := 0, error(nil)
	r.world.spy = func(body []byte, call *http.Request) {
		if call.Header.Get("Smithy-Protocol") == "" {
			return // CloudWatch's clients in both trees speak CBOR
		}
		n, err := billedIn(body)
		mutex.Lock()
		defer mutex.Unlock()
		billed, failed = billed+n, errors.Join(failed, err)
	}
	if _, err := r.invoke("healthcheck", 1); err != nil {
		return 0, err
	}
	if failed == nil && billed == 0 {
		failed = errors.New("a check calls no GetMetricData in CBOR")
	}
	return float64(billed), failed
}

// statisticsOfOne is how many statistics of a metric AWS bills as one metric.
const statisticsOfOne = 5

// billedIn returns how many metrics AWS bills for a call of GetMetricData.
func billedIn(body []byte) (int, error) {
	value, err := cbor.Decode(body)
	if err != nil {
		return 0, fmt.Errorf("a call of CloudWatch: %w", err)
	}
	if _, ok := value.(cbor.Map); !ok {
		return 0, errors.New("a call of CloudWatch is not a map in CBOR")
	}
	queries, ok := member(value, "MetricDataQueries").(cbor.List)
	if !ok {
		return 0, nil // another operation
	}
	statistics := map[string]int{}
	for _, q := range queries {
		if metric := member(q, "MetricStat", "Metric"); metric != nil {
			statistics[fmt.Sprint(metric)]++ // maps are printed in the order of their keys
		}
	}
	billed := 0
	for _, n := range statistics {
		billed += (n + statisticsOfOne - 1) / statisticsOfOne
	}
	return billed, nil
}

// member returns what is in a map, and the maps in it, under some keys; nil if it is not there.
func member(value cbor.Value, keys ...string) cbor.Value {
	for _, key := range keys {
		of, _ := value.(cbor.Map)
		value = of[key]
	}
	return value
}
