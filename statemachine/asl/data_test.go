package asl

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func value(t testing.TB, text string) any {
	t.Helper()
	v, err := parseJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestPaths(t *testing.T) {
	root := `{"a":{"b-c":[1,{"é":"x"}],"":2,"it's":{"q\"\\":null}}}`
	for path, want := range map[string]string{
		"$":                       root,
		"$.a.b-c[0]":              "1",
		"$.a['b-c'][1].é":         `"x"`,
		`$["a"]['']`:              "2",
		`$.a['it\'s']["q\"\\"]`:   "null",
		"$.a.b-c[2]":              "missing",
		"$.a[0]":                  "missing",
		"$.a.b-c.d":               "missing",
		"$.a.nothing":             "missing",
		"$.a.b-c[1].é.further":    "missing",
		`$.a['it\'s']["q\"\\"].z`: "missing",
	} {
		p, err := parsePath(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		got := "missing"
		if v, ok := p.get(value(t, root)); ok {
			got = string(appendJSON(nil, v))
		}
		if got != want {
			t.Errorf("%s gives %s, want %s", path, got, want)
		}
	}
}

func TestResultPathCopiesTheSpineOnly(t *testing.T) {
	for path, want := range map[string]string{
		"$.new":      `{"a":{"b":[1,{"c":2}]},"d":3,"new":"N"}`,
		"$.d":        `{"a":{"b":[1,{"c":2}]},"d":"N"}`,
		"$.x.y.z":    `{"a":{"b":[1,{"c":2}]},"d":3,"x":{"y":{"z":"N"}}}`,
		"$.a.b[1].e": `{"a":{"b":[1,{"c":2,"e":"N"}]},"d":3}`,
		"$.a.b[0]":   `{"a":{"b":["N",{"c":2}]},"d":3}`,
		"$.a.b[2]":   "no", // no element to replace
		"$.a.b.c":    "no", // a member of an array
		"$.d.e":      "no", // a member of a number
		"$.a[0]":     "no", // an element of an object
		"$.n[0]":     "no",
	} {
		const before = `{"a":{"b":[1,{"c":2}]},"d":3}`
		root := value(t, before)
		p, err := parsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		got := "no"
		if v, ok := p.put(root, "N"); ok {
			got = string(appendJSON(nil, v))
		}
		if got != want {
			t.Errorf("%s gives %s, want %s", path, got, want)
		}
		if after := string(appendJSON(nil, root)); after != before {
			t.Errorf("%s changed its input to %s", path, after)
		}
	}
}

func TestIntrinsicFunctions(t *testing.T) {
	input := value(t, `{"s":"text","n":1e400,"o":{"z":1,"a":[" ",1.10]},"j":"{\"x\":[1.0,\"<&>\"]}","t":"{}-{}","bad":"{"}`)
	for text, want := range map[string]string{
		`States.Format('{} and {}', $.s, $.n)`:                                      `"text and 1e400"`,
		`States.Format( '\\\'\{{}\}' ,  true )`:                                     `"\\'{true}"`,
		`States.Format($.t, null, -1.5)`:                                            `"null--1.5"`,
		`States.Format('{}', States.JsonToString($.o))`:                             `"{\"z\":1,\"a\":[\" \",1.10]}"`,
		`States.StringToJson($.j)`:                                                  `{"x":[1.0,"<&>"]}`,
		`States.JsonToString(States.StringToJson('"\\u00e9"'))`:                     `"\"é\""`,
		`States.StringToJson($.bad)`:                                                "States.IntrinsicFailure",
		`States.StringToJson($.o)`:                                                  "States.IntrinsicFailure",
		`States.Format('{}', $.o)`:                                                  `"{z=1, a=[ , 1.10]}"`,
		`States.Format($.t, 1)`:                                                     "States.IntrinsicFailure",
		`States.Format($.bad)`:                                                      "States.IntrinsicFailure",
		`States.Format($.o)`:                                                        "States.IntrinsicFailure",
		`States.Format('{}', $.missing)`:                                            "States.Runtime",
		"States.Format(" + strings.Repeat("States.Format(", 9) + "'deep'))))))))))": `"deep"`,
	} {
		x, err := parseExpr(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		v, err := x.eval(scope{input: input}, "f.$")
		got := string(appendJSON(nil, v))
		if err != nil {
			got = err.(*failure).name
		}
		if got != want {
			t.Errorf("%s gives %s (%v), want %s", text, got, err, want)
		}
	}
}

// Each operator against values of every kind: which of them it holds for.
func TestComparisonOperators(t *testing.T) {
	input := value(t, `{"s":"b*\\","n":2.0,"big":9007199254740993,"b":true,"z":null,"t":"2030-01-31T12:00:00Z","o":{},"p":"b*\\","later":"2030-01-31T13:00:00.001+01:00","one":1}`)
	for rule, want := range map[string]string{
		`"StringEquals":"b*\\"`:                              "s",
		`"StringEqualsPath":"$.p"`:                           "s",
		`"StringLessThan":"c"`:                               "s t",
		`"StringLessThanPath":"$.t"`:                         "",
		`"StringGreaterThan":"2"`:                            "s t",
		`"StringGreaterThanEquals":"b*\\"`:                   "s",
		`"StringLessThanEquals":"2030-01-31T12:00:00Z"`:      "t",
		`"StringMatches":"b\\**"`:                            "s",
		`"StringMatches":"*-*-*T*Z"`:                         "t",
		`"StringMatches":"*"`:                                "s t",
		`"StringMatches":"b*\\\\"`:                           "s",
		`"NumericEquals":2`:                                  "n",
		`"NumericEquals":9007199254740992`:                   "", // exact beyond doubles
		`"NumericEqualsPath":"$.big"`:                        "big",
		`"NumericLessThan":1e400`:                            "n big",
		`"NumericLessThanEqualsPath":"$.n"`:                  "n",
		`"NumericGreaterThanPath":"$.one"`:                   "n big",
		`"NumericGreaterThanEquals":9007199254740993`:        "big",
		`"BooleanEquals":true`:                               "b",
		`"BooleanEqualsPath":"$.b"`:                          "b",
		`"BooleanEqualsPath":"$.s"`:                          "",
		`"TimestampEquals":"2030-01-31T13:00:00+01:00"`:      "t",
		`"TimestampLessThan":"2030-01-31T12:00:00.1Z"`:       "t",
		`"TimestampLessThanEqualsPath":"$.later"`:            "t",
		`"TimestampGreaterThan":"2030-01-31T11:59:59Z"`:      "t",
		`"TimestampGreaterThanEqualsPath":"$.t"`:             "t",
		`"IsNull":true`:                                      "z",
		`"IsNull":false`:                                     "s n big b t o",
		`"IsPresent":true`:                                   "s n big b z t o",
		`"IsString":true`:                                    "s t",
		`"IsNumeric":true`:                                   "n big",
		`"IsBoolean":true`:                                   "b",
		`"IsTimestamp":true`:                                 "t",
		`"IsTimestamp":false`:                                "s n big b z o",
		`"Not":{"Variable":"$.VAR","IsString":true}`:         "n big b z o",
		`"Or":[{"V":1,"IsNull":true},{"V":1,"IsNull":true}]`: "z",
		`"And":[{"V":1,"IsString":true},{"Not":{"V":1,"StringEquals":"x"}},{"V":1,"StringLessThan":"b"}]`: "t",
	} {
		var holds []string
		for _, variable := range []string{"s", "n", "big", "b", "z", "t", "o"} {
			rule := strings.NewReplacer(`"V":1`, `"Variable":"$.`+variable+`"`, "VAR", variable).Replace(rule)
			if !strings.Contains(rule, `"Variable"`) {
				rule = fmt.Sprintf(`"Variable":"$.%s",%s`, variable, rule)
			}
			d := parse(t, machine(`"A":{"Type":"Choice","Choices":[{"Next":"B",`+rule+`}],"Default":"C"},"B":{"Type":"Succeed"},"C":{"Type":"Succeed"}`))
			_, h := run(t, d, string(appendJSON(nil, input)), nil, nil)
			if path := h.Path(); path[len(path)-1] == "B" {
				holds = append(holds, variable)
			}
		}
		if got := strings.Join(holds, " "); got != want {
			t.Errorf("%s holds for %q, want %q", rule, got, want)
		}
	}
}

func TestWildcards(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"a*", "a", true}, {"a*b*c", "aXbYbc", true},
		{"a*b*c", "aXbYb", false}, {"*a", "ba", true}, {"*a", "ab", false}, {`\*`, "*", true}, {`\*`, "a", false},
		{`\\`, `\`, true}, {`\a`, `\a`, true}, {"a*", "ba", false}, {"**", "x", true}, {`a\*`, "a", false},
	} {
		if got := wildcardMatch(c.pattern, c.text); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.text, got)
		}
	}
}

func TestStringsAreEscapedAsLittleAsPossible(t *testing.T) {
	const text = "é</&>\u2028 \"\\\b\x01\n\r\t\x7f\xff"
	got, want := string(appendJSON(nil, text)), "\"é</&>\u2028 \\\"\\\\\\u0008\\u0001\\n\\r\\t\x7f\ufffd\""
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTimestamps(t *testing.T) {
	for text, want := range map[string]bool{
		"2030-01-31T12:00:00Z": true, "2030-01-31T12:00:00.123456789+05:30": true, "2030-01-31T12:00:00,5Z": false,
		"2030-01-31t12:00:00z": false, "2030-01-31 12:00:00Z": false, "2030-01-31T12:00:00": false, "2030-02-31T12:00:00Z": false, "": false,
	} {
		if _, ok := timestamp(text); ok != want {
			t.Errorf("%q is a timestamp: %v", text, ok)
		}
	}
}

func TestEventsAsJSON(t *testing.T) {
	d := parse(t, machine(`"A":{"Type":"Task","Resource":"fn:F","TimeoutSeconds":9,"Retry":[{"ErrorEquals":["X"]},{"ErrorEquals":["States.Timeout"]}],"Next":"B"},"B":{"Type":"Fail","Error":"E","Cause":"\u00e9<"}`))
	_, h := run(t, d, `{"a": 1.0}`, script{"F": {"!X: c", "@10s 1", "2"}}, nil)
	got, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.NewReplacer(`{"timestamp":"2030-01-31T12:00:`, "\n", `.000Z","type"`, "").Replace(string(got)), "\n")
	want := []string{"[",
		`00:"ExecutionStarted","id":1,"previousEventId":0,"executionStartedEventDetails":{"input":"{\"a\":1.0}","inputDetails":{"truncated":false},"roleArn":"arn:aws:iam::123456789012:role/machine"}},`,
		`00:"TaskStateEntered","id":2,"previousEventId":0,"stateEnteredEventDetails":{"name":"A","input":"{\"a\":1.0}","inputDetails":{"truncated":false}}},`,
		`00:"LambdaFunctionScheduled","id":3,"previousEventId":2,"lambdaFunctionScheduledEventDetails":{"resource":"` + arn("F") + `","input":"{\"a\":1.0}","inputDetails":{"truncated":false},"timeoutInSeconds":9}},`,
		`00:"LambdaFunctionStarted","id":4,"previousEventId":3},`,
		`00:"LambdaFunctionFailed","id":5,"previousEventId":4,"lambdaFunctionFailedEventDetails":{"error":"X","cause":"c"}},`,
		`01:"LambdaFunctionScheduled","id":6,"previousEventId":5,"lambdaFunctionScheduledEventDetails":{"resource":"` + arn("F") + `","input":"{\"a\":1.0}","inputDetails":{"truncated":false},"timeoutInSeconds":9}},`,
		`01:"LambdaFunctionStarted","id":7,"previousEventId":6},`,
		`10:"LambdaFunctionTimedOut","id":8,"previousEventId":7,"lambdaFunctionTimedOutEventDetails":{"error":"States.Timeout"}},`,
		`11:"LambdaFunctionScheduled","id":9,"previousEventId":8,"lambdaFunctionScheduledEventDetails":{"resource":"` + arn("F") + `","input":"{\"a\":1.0}","inputDetails":{"truncated":false},"timeoutInSeconds":9}},`,
		`11:"LambdaFunctionStarted","id":10,"previousEventId":9},`,
		`11:"LambdaFunctionSucceeded","id":11,"previousEventId":10,"lambdaFunctionSucceededEventDetails":{"output":"2","outputDetails":{"truncated":false}}},`,
		`11:"TaskStateExited","id":12,"previousEventId":11,"stateExitedEventDetails":{"name":"A","output":"2","outputDetails":{"truncated":false}}},`,
		`11:"FailStateEntered","id":13,"previousEventId":12,"stateEnteredEventDetails":{"name":"B","input":"2","inputDetails":{"truncated":false}}},`,
		`11:"ExecutionFailed","id":14,"previousEventId":13,"executionFailedEventDetails":{"error":"E","cause":"é` + `\u003c"}}]`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestEventsOnTheWire: GetExecutionHistory answers another timestamp than the CLI
// prints, and data only on demand.
func TestEventsOnTheWire(t *testing.T) {
	d := parse(t, machine(`"A":{"Type":"Task","Resource":"fn:F","End":true}`))
	_, h := run(t, d, `{"a": 1.0}`, script{"F": {"@1.25s 2"}}, nil)
	var got []string
	for _, e := range h[4:] {
		got = append(got, string(e.Wire(true)), string(e.Wire(false)))
	}
	want := []string{
		`{"timestamp":1896091201.250,"type":"LambdaFunctionSucceeded","id":5,"previousEventId":4,"lambdaFunctionSucceededEventDetails":{"output":"2","outputDetails":{"truncated":false}}}`,
		`{"timestamp":1896091201.250,"type":"LambdaFunctionSucceeded","id":5,"previousEventId":4,"lambdaFunctionSucceededEventDetails":{}}`,
		`{"timestamp":1896091201.250,"type":"TaskStateExited","id":6,"previousEventId":5,"stateExitedEventDetails":{"name":"A","output":"2","outputDetails":{"truncated":false}}}`,
		`{"timestamp":1896091201.250,"type":"TaskStateExited","id":6,"previousEventId":5,"stateExitedEventDetails":{"name":"A"}}`,
		`{"timestamp":1896091201.250,"type":"ExecutionSucceeded","id":7,"previousEventId":6,"executionSucceededEventDetails":{"output":"2","outputDetails":{"truncated":false}}}`,
		`{"timestamp":1896091201.250,"type":"ExecutionSucceeded","id":7,"previousEventId":6,"executionSucceededEventDetails":{}}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
