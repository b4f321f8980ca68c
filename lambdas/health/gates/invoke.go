package gates

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Invocation is one call of a function.
type Invocation struct {
	// Function is its name, partial ARN or ARN, and Qualifier a version or an
	// alias of it; empty for none, or if Function has it.
	Function, Qualifier string
	// Payload is JSON.
	Payload []byte
	// Timed asks for the duration of the call.
	Timed bool
}

// Invoked is how a function answered.
type Invoked struct {
	// Answer is JSON; with a function error, what Lambda says of it.
	Answer []byte
	// FunctionError is "Handled" or "Unhandled", or empty if there was none.
	FunctionError string
	// Duration is what Lambda measured, without the start of a new environment.
	// It is known only if Timed: if it was asked for, and Lambda told it.
	Duration time.Duration
	Timed    bool
}

// Invoker calls functions, synchronously, and each once. An error means that
// there is no answer: a *NoAnswer says why in words, where that is known.
type Invoker interface {
	Invoke(context.Context, Invocation) (Invoked, error)
}

// InvokeError is why a function gave no answer that can be looked at.
type InvokeError struct {
	// Because is for a person to read. It holds nothing of the payload.
	Because string
	// Err is what it was, if that says more. It may hold some of the payload.
	Err error
}

func (e *InvokeError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Because, e.Err)
	}
	return e.Because
}

func (e *InvokeError) Unwrap() error { return e.Err }

// noAnswer says why there is none.
func noAnswer(err error) string {
	var known *InvokeError
	if errors.As(err, &known) {
		return known.Because
	}
	return "could not be invoked"
}

// late is the reason of what has not answered in time.
func late(limit time.Duration) string { return fmt.Sprintf("no answer within %v s", limit.Seconds()) }

// callOnce invokes a function and waits no longer than the limit for it.
func callOnce(ctx context.Context, by Invoker, together Parallel, limit time.Duration, call Invocation) (Invoked, error) {
	var (
		mutex  sync.Mutex // an answer that is late may still come
		answer Invoked
		err    error = &InvokeError{Because: late(limit)}
	)
	together(ctx, limit, []func(context.Context){func(ctx context.Context) {
		got, failure := by.Invoke(ctx, call)
		if failure != nil && ctx.Err() != nil {
			return // it was given up
		}
		mutex.Lock()
		defer mutex.Unlock()
		answer, err = got, failure
	}})
	mutex.Lock()
	gotAnswer, gotErr := answer, err
	mutex.Unlock()
	return gotAnswer, gotErr
}

// maxQuoted is the most of an answer that a reason has, in characters.
const maxQuoted = 200

// quote is the beginning of an answer, on one line, as far as a person may see it.
func quote(answer []byte) string {
	var compact bytes.Buffer
	if json.Compact(&compact, answer) == nil {
		answer = compact.Bytes()
	}
	if len(answer) == 0 {
		return "nothing"
	}
	return oneLine(string(answer), maxQuoted)
}

// oneLine cuts a text to so many characters, and drops from it what is no
// character, controls the terminal, or changes the direction of writing.
func oneLine(text string, most int) string {
	var line strings.Builder
	n := 0
	for _, c := range text {
		switch {
		case c == unicode.ReplacementChar || unicode.Is(unicode.Cf, c):
			continue
		case unicode.IsSpace(c):
			c = ' '
		case unicode.IsControl(c):
			continue
		}
		if n++; n > most {
			return line.String() + "…"
		}
		line.WriteRune(c)
	}
	return line.String()
}

// functionError is what a function failed with, in words.
func functionError(answer []byte) string {
	var of struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}
	switch {
	case json.Unmarshal(answer, &of) != nil || of.Message == "" && of.Type == "":
		return "failed with " + quote(answer)
	case of.Message == "" || of.Type == "":
		return "failed: " + oneLine(of.Type+of.Message, maxQuoted)
	}
	return "failed: " + oneLine(of.Type+": "+of.Message, maxQuoted)
}

// inMilliseconds writes a duration to a hundredth of one.
func inMilliseconds(d time.Duration) string {
	return strconv.FormatFloat(math.Round(float64(d)/1e4)/100, 'f', -1, 64) + " ms"
}
