package cloudformation

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// handle is the handle of a wait condition.
type handle struct {
	signalled *asl.Signal
	signal    signal // the first one that was accepted
}

// signal is what is put to a handle's URL.
type signal struct {
	Status   string // SUCCESS or FAILURE
	Reason   string
	UniqueID string `json:"UniqueId"`
	Data     string
}

// maxWait is the longest that a wait condition waits, and handleLifetime how long a handle's URL is valid.
const (
	maxWait        = 12 * time.Hour
	handleLifetime = 86399 * time.Second
)

// createHandle creates a handle: its physical ID is its URL. The bucket's name has the region with its dashes.
func createHandle(w work) (string, map[string]any, error) {
	e := w.stack.engine
	h := &handle{signalled: e.clock.NewSignal()}
	bucket := "cloudformation-waitcondition-" + e.options.Server.Config().Region
	url := e.sign(bucket, w.stack.id+"/"+e.uuid()+"/"+w.id, presigned{lifetime: handleLifetime, of: w.id, take: h.take})
	e.handles[url] = h
	return url, nil, nil
}

// take takes a signal. Only the first is needed.
func (h *handle) take(body []byte) (accepted bool, problem string) {
	var s signal
	err := json.Unmarshal(body, &s)
	switch {
	case h.signalled.Fired():
		return false, "the handle was signalled before"
	case err != nil || s.Status != "SUCCESS" && s.Status != "FAILURE" || s.UniqueID == "":
		return false, "it is no signal"
	}
	h.signal = s
	h.signalled.Fire()
	return true, ""
}

// createWait waits for one signal to the property Handle, for as many seconds as the property Timeout has.
func createWait(w work) (string, map[string]any, error) {
	clock, h := w.stack.engine.clock, w.stack.engine.handles[w.text("Handle")]
	timeout, err := w.duration("Timeout", maxWait)
	if h == nil {
		err = errors.New("the property Handle must be a reference to a WaitConditionHandle")
	}
	if err != nil {
		return "", nil, err
	}
	id := w.stack.id + "/" + w.stack.engine.uuid() + "/" + w.id
	switch clock.Wait(clock.Now().Add(timeout), h.signalled, w.abort) {
	case nil:
		return id, nil, errors.New("WaitCondition timed out. Received 0 conditions when expecting 1")
	case w.abort:
		return id, nil, errCancelled
	}
	if h.signal.Status == "FAILURE" {
		return id, nil, fmt.Errorf("WaitCondition received failed message: '%s' for uniqueId: %s", h.signal.Reason, h.signal.UniqueID)
	}
	data, err := json.Marshal(map[string]string{h.signal.UniqueID: h.signal.Data})
	return id, map[string]any{"Data": string(data)}, err
}

func deleteNothing(work) error { return nil }
