package iam

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestDecisions(t *testing.T) {
	const (
		f       = "arn:aws:lambda:eu-central-1:1:function:f"
		aliases = `{"Effect": "Allow", "Action": ["lambda:GetAlias", "lambda:Update*"], "Resource": "arn:aws:lambda:eu-central-1:1:function:*"}`
		denied  = `{"Effect": "Deny", "Action": "*", "Resource": ["arn:aws:lambda:eu-central-1:1:function:g"]}`
	)
	for _, test := range []struct {
		name, statements, action, resource string
		want                               Decision
	}{
		{"nothing is said", `[]`, "lambda:GetAlias", f, Decision{}},
		{"one statement, no list", aliases, "lambda:GetAlias", f, Decision{Allowed, []Permission{{"p", 1, "lambda:GetAlias", f[:len(f)-1] + "*"}}}},
		{"the case of an action", aliases, "LAMBDA:updatealias", f, Decision{Allowed, []Permission{{"p", 1, "lambda:Update*", f[:len(f)-1] + "*"}}}},
		{"another action", aliases, "lambda:DeleteAlias", f, Decision{}},
		{"another resource", aliases, "lambda:GetAlias", "arn:aws:lambda:eu-central-1:2:function:f", Decision{}},
		{"denied after allowed", "[" + aliases + "," + denied + "]", "lambda:GetAlias", f[:len(f)-1] + "g", Decision{ExplicitlyDenied, []Permission{{"p", 2, "*", f[:len(f)-1] + "g"}}}},
		{"denied before allowed", "[" + denied + "," + aliases + "]", "lambda:GetAlias", f[:len(f)-1] + "g", Decision{ExplicitlyDenied, []Permission{{"p", 1, "*", f[:len(f)-1] + "g"}}}},
		{"two allow it", "[" + aliases + `,{"Effect": "Allow", "Action": "*", "Resource": "*"}]`, "lambda:GetAlias", f, Decision{Allowed, []Permission{{"p", 1, "lambda:GetAlias", f[:len(f)-1] + "*"}, {"p", 2, "*", "*"}}}},
		{"all but an action", `{"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}`, "lambda:GetAlias", f, Decision{Allowed, []Permission{{"p", 1, "not iam:*", "*"}, {"p", 1, "not sts:*", "*"}}}},
		{"the action itself", `{"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}`, "iam:PassRole", f, Decision{}},
		{"all but a resource", `{"Effect": "Deny", "Action": "*", "NotResource": "` + f + `"}`, "lambda:GetAlias", f + ":7", Decision{ExplicitlyDenied, []Permission{{"p", 1, "*", "not " + f}}}},
	} {
		got, err := policy(t, test.statements).Evaluate(Request{Action: test.action, Resource: test.resource})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got): %s", test.name, diff)
		}
	}
}

// TestWildcardsBeforeColonsAreNotGuessed checks resources that a statement covers or
// not depending on how its wildcards are read.
func TestWildcardsBeforeColonsAreNotGuessed(t *testing.T) {
	const function = "arn:aws:lambda:eu-central-1:1:function:"
	for _, effect := range []string{"Allow", "Deny"} {
		for _, element := range []string{"Resource", "NotResource"} {
			ps := policy(t, `{"Effect": "`+effect+`", "Action": "lambda:*", "`+element+`": ["`+function+`f*x", "`+function+`g?7"]}`)
			for resource, unclear := range map[string]bool{"f-x": false, "fx": false, "f:x": true, "f-a:b-x": true, "g:7": true, "g-7": false, "h": false} {
				_, err := ps.Evaluate(Request{Action: "lambda:GetAlias", Resource: function + resource})
				if unclear && (err == nil || !strings.Contains(err.Error(), "matches a colon")) || !unclear && err != nil {
					t.Errorf("%s %s of %s: %v", effect, element, resource, err)
				}
			}
			if _, err := ps.Evaluate(Request{Action: "s3:GetObject", Resource: function + "f:x"}); err != nil {
				t.Errorf("of another action: %v", err)
			}
		}
	}
}

func TestConditions(t *testing.T) {
	context := map[string][]string{
		"aws:ResourceTag/team": {"a"}, "aws:ResourceTag/*": nil, "aws:SourceArn": {"arn:aws:sns:eu-central-1:1:x"},
		"aws:SecureTransport": {"true"}, "aws:TagKeys": {"a", "b"}, "aws:SourceVpc": nil,
	}
	for condition, want := range map[string]bool{
		`{"StringEquals": {"aws:ResourceTag/team": "a"}}`:                                    true,
		`{"StringEquals": {"AWS:resourcetag/TEAM": ["b", "a"]}}`:                             true,
		`{"StringEquals": {"aws:ResourceTag/team": "A"}}`:                                    false,
		`{"StringEqualsIgnoreCase": {"aws:ResourceTag/team": "A"}}`:                          true,
		`{"StringEquals": {"aws:ResourceTag/other": "a"}}`:                                   false,
		`{"StringEqualsIfExists": {"aws:ResourceTag/other": "a"}}`:                           true,
		`{"StringNotEquals": {"aws:ResourceTag/team": ["b", "c"]}}`:                          true,
		`{"StringNotEquals": {"aws:ResourceTag/team": ["b", "a"]}}`:                          false,
		`{"StringNotEquals": {"aws:ResourceTag/other": "a"}}`:                                true,
		`{"StringLike": {"aws:ResourceTag/team": "?"}}`:                                      true,
		`{"StringNotLike": {"aws:ResourceTag/team": "b*"}}`:                                  true,
		`{"ArnEquals": {"aws:SourceArn": "arn:aws:sns:*:1:x"}}`:                              true,
		`{"ArnNotLike": {"aws:SourceArn": "arn:aws:sns:*:1:x"}}`:                             false,
		`{"Bool": {"aws:SecureTransport": false}}`:                                           false,
		`{"Bool": {"aws:SecureTransport": "true"}}`:                                          true,
		`{"Null": {"aws:SourceVpc": "true"}}`:                                                true,
		`{"Null": {"aws:SecureTransport": true}}`:                                            false,
		`{"Null": {"aws:ResourceTag/other": ["false"]}}`:                                     false,
		`{"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b", "c"]}}`:                    true,
		`{"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}`:                              false,
		`{"ForAllValues:StringEquals": {"aws:SourceVpc": ["a"]}}`:                            true,
		`{"ForAnyValue:StringEquals": {"aws:TagKeys": ["b", "c"]}}`:                          true,
		`{"ForAnyValue:StringEquals": {"aws:SourceVpc": ["b"]}}`:                             false,
		`{"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["b"]}}`:                            true,
		`{"ForAllValues:StringNotEquals": {"aws:TagKeys": ["b"]}}`:                           false,
		`{"StringEquals": {"aws:ResourceTag/team": "a", "aws:ResourceTag/other": "a"}}`:      false,
		`{"StringEquals": {"aws:ResourceTag/team": "a"}, "Null": {"aws:SourceVpc": "true"}}`: true,
	} {
		ps := policy(t, `{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": `+condition+`}`)
		got, err := ps.Evaluate(Request{"s3:GetObject", "*", context})
		if err != nil || (got.Effect == Allowed) != want {
			t.Errorf("%s: %v, %v", condition, got, err)
		}
	}
	for condition, want := range map[string]string{
		`{"StringEquals": {"aws:SourceIp": "a"}}`:                "the condition key aws:SourceIp (StringEquals) is not known",
		`{"StringNotEqualsIfExists": {"aws:ResourceTag/": "a"}}`: "is not known",
		`{"Null": {"aws:SourceIp": "true"}}`:                     "is not known",
		`{"StringEquals": {"aws:TagKeys": "a"}}`:                 "has 2 values; StringEquals needs",
	} {
		for _, effect := range []string{"Allow", "Deny"} {
			ps := policy(t, `{"Effect": "`+effect+`", "Action": "*", "Resource": "*", "Condition": `+condition+`}`)
			got, err := ps.Evaluate(Request{"s3:GetObject", "*", context})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s if %s: %v, %v", effect, condition, got, err)
			}
		}
	}
}

// drawStatement draws a statement about a few actions and resources.
func drawStatement(t *rapid.T, effect string) string {
	of := func(name string, from ...string) string {
		list, err := json.Marshal(rapid.SliceOfN(rapid.SampledFrom(from), 1, 3).Draw(t, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(list)
	}
	not := rapid.SampledFrom([]string{"", "Not"})
	condition := rapid.SampledFrom([]string{`{}`, `{"StringEquals": {"k": "a"}}`, `{"StringNotLike": {"k": "a*"}}`, `{"Null": {"k": "true"}}`}).Draw(t, "condition")
	return fmt.Sprintf(`{"Effect": %q, "%sAction": %s, "%sResource": %s, "Condition": %s}`, effect,
		not.Draw(t, "not"), of("actions", "s:*", "s:a", "s:b", "*", "s:?"),
		not.Draw(t, "not"), of("resources", "*", "arn:a:s:::x", "arn:a:s:::*", "arn:a:s:::y/*"), condition)
}

func drawRequest(t *rapid.T) Request {
	return Request{
		Action:   rapid.SampledFrom([]string{"s:a", "s:b", "S:A", "t:a"}).Draw(t, "action"),
		Resource: rapid.SampledFrom([]string{"arn:a:s:::x", "arn:a:s:::y/z", "*"}).Draw(t, "resource"),
		Context:  map[string][]string{"k": rapid.SampledFrom([][]string{nil, {"a"}, {"b"}}).Draw(t, "k")},
	}
}

// TestDenyWinsAndAllowOnlyAdds adds a statement at any place among any others.
func TestDenyWinsAndAllowOnlyAdds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		request := drawRequest(t)
		decide := func(statements []string) Effect {
			p, err := parse("[" + strings.Join(statements, ",") + "]")
			if err != nil {
				t.Fatal(err)
			}
			decision, err := Policies{p}.Evaluate(request)
			if err != nil {
				t.Fatal(err)
			}
			if (decision.Effect == ImplicitlyDenied) != (len(decision.By) == 0) {
				t.Fatalf("%v by %v", decision.Effect, decision.By)
			}
			return decision.Effect
		}
		var statements []string
		for range rapid.IntRange(0, 4).Draw(t, "statements") {
			statements = append(statements, drawStatement(t, rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "effect")))
		}
		at := rapid.IntRange(0, len(statements)).Draw(t, "at")
		with := func(statement string) []string {
			return append(append(append([]string{}, statements[:at]...), statement), statements[at:]...)
		}
		before := decide(statements)
		if after := decide(with(drawStatement(t, "Allow"))); after != before && (before != ImplicitlyDenied || after != Allowed) {
			t.Fatalf("allowing more makes of %v %v", before, after)
		}
		deny := drawStatement(t, "Deny")
		after := decide(with(deny))
		if alone := decide([]string{deny}); alone == ExplicitlyDenied && after != ExplicitlyDenied || alone == ImplicitlyDenied && after != before {
			t.Fatalf("a deny that alone makes %v makes of %v %v", alone, before, after)
		}
	})
}
