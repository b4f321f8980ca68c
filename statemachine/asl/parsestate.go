package asl

import (
	"strconv"
	"strings"
	"time"
)

// state reads one state into s.
func (p *parser) state(s *state, at string, value any) {
	f := p.fields(at, "a state", value)
	kind, ok := f.text("Type")
	if _, there := f.obj.get("Type"); !there {
		p.addf(at, "a state has no Type")
		return
	} else if !ok {
		return
	}
	f.what = "a " + kind + " state"
	s.entered, s.exits = EventType(kind+"StateEntered"), EventType(kind+"StateExited")
	f.text("Comment")
	switch kind {
	case "Task":
		p.inputOutput(f, s)
		p.parameters(f, s)
		s.flow.resultSelector = f.template("ResultSelector")
		s.work = p.task(f)
		s.next = p.next(f)
	case "Pass":
		p.inputOutput(f, s)
		p.parameters(f, s)
		result, ok := f.get("Result")
		s.work = pass{hasResult: ok, result: result}
		s.next = p.next(f)
	case "Wait":
		p.inputOutput(f, s)
		s.work = p.wait(f)
		s.next = p.next(f)
	case "Choice":
		p.inputOutput(f, s)
		s.work = p.choice(f)
	case "Succeed":
		p.inputOutput(f, s)
		s.work = succeed{}
	case "Fail":
		s.work = p.failState(f)
	default:
		p.addf(f.place("Type"), "the type of state %q is not supported; use Task, Choice, Wait, Pass, Succeed or Fail", kind)
		return
	}
	f.done()
}

// inputOutput reads InputPath and OutputPath.
func (p *parser) inputOutput(f *fields, s *state) {
	s.flow.inputPath = f.filter("InputPath")
	s.flow.outputPath = f.filter("OutputPath")
}

// parameters reads Parameters and ResultPath.
func (p *parser) parameters(f *fields, s *state) {
	s.flow.parameters = f.template("Parameters")
	s.flow.resultPath = f.filter("ResultPath")
}

// wait reads a Wait state's own fields.
func (p *parser) wait(f *fields) wait {
	if f.atMostOne("Seconds", "SecondsPath", "Timestamp", "TimestampPath") == 0 {
		p.addf(f.at, "a Wait state has none of Seconds, SecondsPath, Timestamp and TimestampPath")
	}
	w := wait{seconds: f.integer("Seconds", -1, 0, maxSeconds)}
	w.path, w.secondsPath = f.path("SecondsPath")
	if s, ok := f.text("Timestamp"); ok {
		if w.until, ok = timestamp(s); !ok {
			p.addf(f.place("Timestamp"), "%q is not a timestamp (RFC 3339, such as 2030-01-31T12:00:00Z)", s)
		}
	}
	if path, ok := f.path("TimestampPath"); ok {
		w.path = path
	}
	return w
}

// failState reads a Fail state's own fields.
func (p *parser) failState(f *fields) failWith {
	var w failWith
	read := func(key string) expr {
		f.atMostOne(key, key+"Path")
		path, hasPath := f.text(key + "Path")
		if text, ok := f.text(key); ok {
			return constant{value: text}
		}
		if !hasPath {
			return nil
		}
		x := p.expr(f.place(key+"Path"), path)
		switch x := x.(type) {
		case refPath:
			f.one(key+"Path", x)
		case call:
			if !intrinsics[x.function].text {
				p.addf(f.place(key+"Path"), "%sPath takes a function that returns a string; %s does not", key, x.function)
			}
		}
		return x
	}
	w.errorName, w.cause = read("Error"), read("Cause")
	return w
}

// task reads a Task state's own fields.
func (p *parser) task(f *fields) *task {
	t := &task{timeout: f.integer("TimeoutSeconds", 0, 1, maxSeconds)}
	if v, ok := f.need("Resource"); ok {
		text, _ := v.(string)
		switch {
		case isFunctionARN(text):
			t.resource = function(text)
		case isNestedARN(text):
			t.resource = nested(text)
			p.nestedParameters(f)
			t.credentials = p.credentials(f)
		default:
			p.addf(f.place("Resource"), "%s is not supported; use the ARN of a Lambda function (arn:aws:lambda:region:account:function:name) or %s", appendJSON(nil, v), nestedARN)
		}
	}
	for i, v := range f.list("Retry", false) {
		t.retriers = append(t.retriers, p.retrier(elementPath(f.place("Retry"), i), v))
	}
	p.onlyLast(f.place("Retry"), len(t.retriers), func(i int) errorNames { return t.retriers[i].errors })
	for i, v := range f.list("Catch", false) {
		t.catchers = append(t.catchers, p.catcher(elementPath(f.place("Catch"), i), v))
	}
	p.onlyLast(f.place("Catch"), len(t.catchers), func(i int) errorNames { return t.catchers[i].errors })
	return t
}

// isFunctionARN reports whether the text is the ARN of a Lambda function, of
// one of its versions or of an alias.
func isFunctionARN(text string) bool {
	parts := strings.Split(text, ":")
	if len(parts) < 7 || len(parts) > 8 || parts[0] != "arn" || !strings.HasPrefix(parts[1], "aws") ||
		parts[2] != "lambda" || parts[5] != "function" || len(parts[4]) != 12 {
		return false
	}
	if _, err := strconv.ParseUint(parts[4], 10, 64); err != nil {
		return false
	}
	for _, part := range parts {
		if part == "" || strings.ContainsAny(part, " ${}/*") {
			return false
		}
	}
	return true
}

// onlyLast reports States.ALL in all but the last of n retriers or catchers.
func (p *parser) onlyLast(at string, n int, errors func(int) errorNames) {
	for i := range n - 1 {
		if errors(i).has(errorAll) {
			p.addf(elementPath(at, i), "%s is allowed only in the last one", errorAll)
		}
	}
}

// errorEquals reads the ErrorEquals of a retrier or a catcher.
func (p *parser) errorEquals(f *fields) errorNames {
	var names errorNames
	for i, v := range f.list("ErrorEquals", true) {
		at := elementPath(f.place("ErrorEquals"), i)
		name, ok := v.(string)
		switch {
		case !ok || name == "":
			p.addf(at, "an error's name must be a non-empty string")
		case strings.HasPrefix(name, "States.") && !isReserved(name):
			p.addf(at, "there is no error %q (the language reserves names that begin with States.)", name)
		}
		names = append(names, name)
	}
	if names.has(errorAll) && len(names) > 1 {
		p.addf(f.place("ErrorEquals"), "%s must be the only error", errorAll)
	}
	return names
}

// retrier reads one element of Retry.
func (p *parser) retrier(at string, value any) retrier {
	f := p.fields(at, "a retrier", value)
	defer f.done()
	f.text("Comment")
	r := retrier{
		errors:   p.errorEquals(f),
		interval: time.Duration(f.integer("IntervalSeconds", 1, 1, maxSeconds)) * time.Second,
		attempts: f.integer("MaxAttempts", 3, 0, maxSeconds),
		maxDelay: time.Duration(f.integer("MaxDelaySeconds", maxSeconds, 1, 31622399)) * time.Second,
		backoff:  2,
	}
	if v, ok := f.get("BackoffRate"); ok {
		n, _ := v.(number)
		rate, err := strconv.ParseFloat(string(n), 64)
		if err != nil || rate < 1 {
			p.addf(f.place("BackoffRate"), "BackoffRate must be a number of at least 1.0")
		}
		r.backoff = rate
	}
	if jitter, ok := f.text("JitterStrategy"); ok {
		r.fullJitter = jitter == "FULL"
		if jitter != "FULL" && jitter != "NONE" {
			p.addf(f.place("JitterStrategy"), "%q is not supported; use FULL or NONE", jitter)
		}
	}
	return r
}

// catcher reads one element of Catch.
func (p *parser) catcher(at string, value any) catcher {
	f := p.fields(at, "a catcher", value)
	defer f.done()
	f.text("Comment")
	c := catcher{errors: p.errorEquals(f), resultPath: f.filter("ResultPath")}
	if name, ok := f.needText("Next"); ok {
		c.next = p.target(f.place("Next"), name)
	}
	return c
}
