package localaws

import (
	"strings"
	"testing"
)

func TestLogPatterns(t *testing.T) {
	const text = `[ERROR 400] BAD_REQUEST "quoted" a\b of MyFunction`
	const object = `{"level":"ERROR","n":12.5,"nested":{"list":[{"id":"x-1"},2]},"yes":true,"no":false,"nil":null,"text":"12.5","a-b":"c"}`
	for pattern, want := range map[string]struct{ text, object bool }{
		"":                                {true, true},
		"  ":                              {true, true},
		"ERROR":                           {true, true},
		"error":                           {false, false},
		"ERR":                             {true, true},
		"ERROR BAD_REQUEST":               {true, false},
		"MyFunction ERROR":                {true, false},
		"ERROR nothing":                   {false, false},
		`"ERROR 400"`:                     {true, false},
		`"400 ERROR"`:                     {false, false},
		`"\"quoted\""`:                    {true, false},
		`"a\\b"`:                          {true, false},
		"?nothing ?ERROR":                 {true, true},
		`?nothing ?"ERROR 400"`:           {true, false},
		"?nothing ?never":                 {false, false},
		"ERROR -BAD_REQUEST":              {false, true},
		"-BAD_REQUEST":                    {false, true},
		`ERROR -"level"`:                  {true, false},
		`{ $.level = "ERROR" }`:           {false, true},
		`{$.level=ERROR}`:                 {false, true},
		`{ $.level = "error" }`:           {false, false},
		`{ $.level = "ERR*" }`:            {false, true},
		`{ $.level = *RO* }`:              {false, true},
		`{ $.level = "E*R*OR" }`:          {false, true},
		`{ $.level = "E*O*R*R" }`:         {false, false},
		`{ $.level = "ERROR*R" }`:         {false, false},
		`{ $.level = "*" }`:               {false, true},
		`{ $.level = "**ERROR**" }`:       {false, true},
		`{ $.level = "ERR" }`:             {false, false},
		`{ $.level != "INFO" }`:           {false, true},
		`{ $.level != "ERROR" }`:          {false, false},
		`{ $.missing != "ERROR" }`:        {false, false},
		`{ $.n = 12.5 }`:                  {false, true},
		`{ $.n = 1.25e1 }`:                {false, true},
		`{ $.n > 12 }`:                    {false, true},
		`{ $.n >= 12.5 && $.n <= 12.5 }`:  {false, true},
		`{ $.n < 12.5 }`:                  {false, false},
		`{ $.n != 12 }`:                   {false, true},
		`{ $.n = "12.5" }`:                {false, false},
		`{ $.text = 12.5 }`:               {false, false},
		`{ $.text = "12.5" }`:             {false, true},
		`{ $.nested.list[0].id = "x-1" }`: {false, true},
		`{ $.nested.list[1] = 2 }`:        {false, true},
		`{ $.nested.list[2] = 2 }`:        {false, false},
		`{ $.a-b = "c" }`:                 {false, true},
		`{ $.yes IS TRUE }`:               {false, true},
		`{ $.no IS FALSE }`:               {false, true},
		`{ $.yes IS FALSE }`:              {false, false},
		`{ $.nil IS NULL }`:               {false, true},
		`{ $.missing IS NULL }`:           {false, false},
		`{ $.missing NOT EXISTS }`:        {false, true},
		`{ $.nil NOT EXISTS }`:            {false, false},
		`{ $.level = "X" || $.n > 1 && $.yes IS TRUE }`: {false, true},
		`{ $.level = "ERROR" || $.n > 1 && $.n < 0 }`:   {false, true},
		`{ ($.level = "ERROR" || $.n > 1) && $.n < 0 }`: {false, false},
		`{ ( $.level = "ERROR" ) && ( $.n > 1 ) }`:      {false, true},
	} {
		matches, err := parseLogPattern(pattern)
		if err != nil {
			t.Errorf("%s: %s", pattern, err.message)
			continue
		}
		if got := [2]bool{matches(text), matches(object)}; got != [2]bool{want.text, want.object} {
			t.Errorf("%s matches %v, want %v", pattern, got, want)
		}
	}
	matches, err := parseLogPattern(`{ $.level = "ERROR" }`)
	if err != nil {
		t.Fatal(err.message)
	}
	for _, message := range []string{object + "x", object + "}", "2026 " + object, `"ERROR"`, `["level"]`, `{"level":"ERROR"`, ""} {
		if matches(message) {
			t.Errorf("%q matches", message)
		}
	}
}

func TestLogPatternsAreRefused(t *testing.T) {
	for pattern, want := range map[string]string{
		"%ERR.*%":                      "regular expressions",
		"[ip, user, status=4*]":        "fields separated by spaces",
		"a-b":                          "double quotes",
		"not-found":                    "double quotes",
		`"open`:                        "double quote is missing",
		`"a"b`:                         "space is missing",
		"?":                            "double quotes",
		"?a b":                         "question mark",
		"?a -b":                        "question mark",
		strings.Repeat("x", 1025):      "1024",
		"{":                            "begins with $",
		"{ }":                          "begins with $",
		`{ $.a = "b"`:                  "} is missing",
		`{ $.a = "b" } x`:              "something follows",
		`{ $ = 1 }`:                    "name is missing",
		`{ $.a }`:                      "operator",
		`{ $.a ~ 1 }`:                  "operator",
		`{ $.a IS EMPTY }`:             "operator",
		`{ $.a = }`:                    "value is missing",
		`{ $.a = %x% }`:                "regular expressions",
		`{ $.a < "x" }`:                "only be compared by = and !=",
		`{ $.a[*] = 1 }`:               "numbers in brackets",
		`{ $['a'] = 1 }`:               "numbers in brackets",
		`{ ($.a = 1 }`:                 ") is missing",
		`{ $.a = 1 && }`:               "begins with $",
		`{ $.a = 1e999 }`:              "too large",
		"{" + strings.Repeat("(", 100): "too many parentheses",
		`{ $.a = x-1 }`:                "",
	} {
		if _, err := parseLogPattern(pattern); err == nil || !strings.Contains(err.message, want) || err.code != "InvalidParameterException" {
			t.Errorf("%.60s: %+v, want %q", pattern, err, want)
		}
	}
}

func FuzzLogPattern(f *testing.F) {
	for _, pattern := range []string{`ERROR -"a b"`, "?a ?b", `{ $.a[0].b = "c*" && ($.n >= 1.5 || $.x NOT EXISTS) }`, `"\`, "{ $.é = ü }", "{$.0=\xc3"} {
		f.Add(pattern, `{"a":[{"b":"cd"}],"n":2}`)
	}
	f.Fuzz(func(t *testing.T, pattern, message string) {
		if matches, err := parseLogPattern(pattern); err == nil {
			matches(message)
		}
	})
}
