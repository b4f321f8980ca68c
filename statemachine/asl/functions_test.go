package asl

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// What the intrinsic functions do beyond the recorded rows, and what they refuse.
func TestFunctions(t *testing.T) {
	long := strings.Repeat("é", maxFunctionText)
	input := value(t, `{"n":1.0,"a":[3,1,3.0,3,{"x":1,"y":2},{"y":2,"x":1},"1",1,1e0],"o":{"k":{"deep":1}},"e":[],"long":"`+long+`","big":9223372036854775807,"huge":1e300}`)
	const failed = "States.IntrinsicFailure"
	for text, want := range map[string]string{
		`States.Array()`:                                                           `[]`,
		`States.ArrayUnique($.a)`:                                                  `[3,1,3.0,{"x":1,"y":2},"1",1e0]`,
		`States.ArrayUnique('a')`:                                                  failed,
		`States.ArrayContains($.a, $.n)`:                                           `true`,
		`States.ArrayContains($.e, $.n)`:                                           `false`,
		`States.ArrayContains($.o, 1)`:                                             failed,
		`States.ArrayPartition($.e, 0)`:                                            failed,
		`States.ArrayPartition($.a, 4.4)`:                                          `[[3,1,3.0,3],[{"x":1,"y":2},{"y":2,"x":1},"1",1],[1e0]]`,
		`States.ArrayPartition($.a, $.big)`:                                        `[[3,1,3.0,3,{"x":1,"y":2},{"y":2,"x":1},"1",1,1e0]]`,
		`States.ArrayPartition($.a, '2')`:                                          failed,
		`States.ArrayRange(1, 3, 0)`:                                               failed,
		`States.ArrayRange(5, 1, -2)`:                                              `[5,3,1]`,
		`States.ArrayRange(1, 5, -2)`:                                              `[]`,
		`States.ArrayRange(1, 1001, 1)`:                                            failed,
		`States.ArrayRange(9223372036854775806, $.big, 9)`:                         `[9223372036854775806]`,
		`States.ArrayLength(States.ArrayRange(1, 1000, 1))`:                        `1000`,
		`States.ArrayGetItem($.a, 9)`:                                              failed,
		`States.ArrayGetItem($.a, -1)`:                                             failed,
		`States.ArrayGetItem($.a, 1.5)`:                                            failed,
		`States.ArrayLength('abc')`:                                                failed,
		`States.ArrayLength($.a[*])`:                                               `9`,
		`States.ArrayLength($.nothing[*])`:                                         `0`,
		`States.Base64Decode('not base64')`:                                        failed,
		`States.Base64Decode('/w==')`:                                              failed, // not UTF-8
		`States.Base64Encode('é€')`:                                                `"w6nigqw="`,
		`States.Base64Encode(1)`:                                                   failed,
		`States.Hash('abc', 'SHA-384')`:                                            `"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"`,
		`States.ArrayLength(States.Array(States.Hash($.long, 'MD5')))`:             `1`,
		`States.Hash(States.Format('{}x', $.long), 'MD5')`:                         failed, // one character too many
		`States.Hash('a', 'MD4')`:                                                  failed,
		`States.Hash('a', 'md5')`:                                                  failed,
		`States.Hash($.o, 'MD5')`:                                                  failed,
		`States.Hash('abc', 'SHA-512')`:                                            `"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"`,
		`States.JsonMerge($.o, States.StringToJson('{"k":{"z":1},"l":2}'), false)`: `{"k":{"z":1},"l":2}`,
		`States.JsonMerge($.o, $.o, true)`:                                         failed,
		`States.JsonMerge($.o, $.a, false)`:                                        failed,
		`States.MathAdd($.big, 1)`:                                                 failed,
		`States.MathAdd($.big, -1)`:                                                `9223372036854775806`,
		`States.MathAdd(-9223372036854775808, -1)`:                                 failed,
		`States.MathAdd($.huge, 1)`:                                                failed,
		`States.MathAdd('1', 1)`:                                                   failed,
		`States.MathRandom(3, 3)`:                                                  failed,
		`States.MathRandom(4, 3)`:                                                  failed,
		`States.MathRandom(7, 8)`:                                                  `7`,
		`States.MathRandom(-9223372036854775808, $.big)`:                           failed,
		`States.StringSplit('', ',')`:                                              `[]`,
		`States.StringSplit('a,b', '')`:                                            `["a,b"]`,
		`States.StringSplit('aéb€c', '€é')`:                                        `["a","b","c"]`,
		`States.StringSplit(1, ',')`:                                               failed,
		"States.StringToJson('\t\n')":                                              `null`,
		`States.Format('{}', $.a)`:                                                 `"[3, 1, 3.0, 3, {x=1, y=2}, {y=2, x=1}, 1, 1, 1e0]"`,
	} {
		x, err := parseExpr(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		v, err := x.eval(scope{execution: seeded(1), input: input}, "f.$")
		got := string(appendJSON(nil, v))
		if err != nil {
			got = err.(*failure).name
		}
		if got != want {
			t.Errorf("%.80s gives %.200s (%v), want %.200s", text, got, err, want)
		}
	}
}

func TestUUIDsAreRandom(t *testing.T) {
	x, err := parseExpr("States.UUID()")
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[any]bool{}
	for seed := range uint64(50) {
		e := seeded(seed)
		for range 2 {
			v, err := x.eval(scope{execution: e}, "")
			if err != nil || !form.MatchString(v.(string)) || seen[v] {
				t.Fatalf("%v %v, seen before: %v", v, err, seen[v])
			}
			seen[v] = true
		}
	}
}

// Paths to any number of values.
func TestSelections(t *testing.T) {
	root := `{"a":[{"n":1,"m":[1]},{"n":2},"x",{"n":null,"m":[2,3]}],"o":{"p":{"n":5},"q":6}}`
	for path, want := range map[string]string{
		"$.a[*].n":                   "[1,2,null]",
		"$.a.*.n":                    "[1,2,null]",
		"$.o.*":                      `[{"n":5},6]`,
		"$.o[*].n":                   "[5]",
		"$.a[1:3]":                   `[{"n":2},"x"]`,
		"$.a[3:]":                    `[{"n":null,"m":[2,3]}]`,
		"$.a[-2:].n":                 "[null]",
		"$.a[:-3].n":                 "[1]",
		"$.a[:-9]":                   "[]",
		"$.a[-9:].n":                 "[1,2,null]",
		"$.a[2:1]":                   "[]",
		"$.a[9:12]":                  "[]",
		"$.a[0,2]":                   `[{"n":1,"m":[1]},"x"]`,
		"$.a[2,0,9].n":               "[1]",
		"$.a[*].m[*]":                "[1,2,3]",
		"$.a[*].m[0]":                "[1,2]",
		"$.o[0:1]":                   "[]", // a slice of an object
		"$.a[*]['n','m']":            "error",
		"$.a[0][*]":                  "[1,[1]]",
		"$.o.q[*]":                   "[]", // of a number
		"$.a[1 :2]":                  "error",
		"$.a[**]":                    "error",
		"$.a[1:2":                    "error",
		"$.a[99999999999999999999:]": "error",
	} {
		p, err := parsePath(path)
		got := "error"
		if err == nil {
			v, ok := scope{input: value(t, root)}.lookup(p)
			if got = string(appendJSON(nil, v)); !ok {
				got = "missing"
			}
		}
		if got != want {
			t.Errorf("%s gives %s (%v), want %s", path, got, err, want)
		}
	}
	for _, field := range []string{`"ResultPath":"$.a[*]"`, `"ResultPath":"$.*"`} {
		if _, err := Parse([]byte(machine(`"A":{"Type":"Pass",` + field + `,"End":true}`))); err == nil || !strings.Contains(err.Error(), "exactly one value") {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, state := range []string{`{"Type":"Fail","ErrorPath":"$.a[*]"}`, `{"Type":"Wait","SecondsPath":"$.a[0:1]","End":true}`} {
		if _, err := Parse([]byte(machine(`"A":` + state))); err == nil || !strings.Contains(err.Error(), "exactly one value") {
			t.Errorf("%s: %v", state, err)
		}
	}
}

// The cause of a path that leads nowhere names where it ends.
func TestInvalidPaths(t *testing.T) {
	for path, want := range map[string]string{
		"$.x":         "No results for path: $['x']",
		"$.a.x":       "No results for path: $['a']['x']",
		"$.x.y.z":     "Missing property in path $['x']",
		"$.a.x.y":     "Missing property in path $['a']['x']",
		"$.b[7]":      "No results for path: $['b'][7]",
		"$.b[7].c":    "No results for path: $['b'][7]['c']",
		"$.b[0]['c']": "Expected to find an object with property ['c'] in path $['b'][0]",
	} {
		d := parse(t, machine(`"A":{"Type":"Pass","InputPath":"`+path+`","End":true}`))
		r, _ := run(t, d, `{"a":{},"b":[1]}`, nil, nil)
		if all := "An error occurred while executing the state 'A' (entered at the event id #2). Invalid path '" + path + "' : " + want; r.Error != "States.Runtime" || r.Cause != all {
			t.Errorf("%s: %s %s, want %s", path, r.Error, r.Cause, all)
		}
	}
}

// seeded returns an execution whose random numbers follow from the seed.
func seeded(seed uint64) *Execution { return &Execution{random: rand.New(rand.NewPCG(seed, 0))} }
