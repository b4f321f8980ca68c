package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
	"github.com/lambda-rollout/lambda-rollout/statemachine/stacktemplate"
)

// encodings returns a text in all encodings in which files are read.
func encodings(text string) map[string]string {
	pack := func(order binary.AppendByteOrder, mark bool) string {
		var file []byte
		if mark {
			file = order.AppendUint16(file, 0xfeff)
		}
		for _, unit := range utf16.Encode([]rune(text)) {
			file = order.AppendUint16(file, unit)
		}
		return string(file)
	}
	return map[string]string{
		"utf-8": text, "utf-8 with a mark": "\xef\xbb\xbf" + text,
		"utf-16": pack(binary.LittleEndian, true), "utf-16 big": pack(binary.BigEndian, true),
		"utf-16 without a mark": pack(binary.LittleEndian, false), "utf-16 big without a mark": pack(binary.BigEndian, false),
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAllFilesAreReadInAllEncodings prints the same from each of them, whatever reads it.
func TestAllFilesAreReadInAllEncodings(t *testing.T) {
	record := func(name string) string {
		text, err := os.ReadFile(filepath.Join("testdata/record", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	files := map[string]string{
		"input.json": canary, "world.json": "{\"alarms\": {\"\U0001f680 ä\": \"OK\"}}", "template.json": string(stacktemplate.Template()),
		"history.json": record("history.json"), "metrics.json": record("metrics.json"),
	}
	commands := []string{"rehearse --input input.json --scenario world.json --template template.json", "rehearse --input -",
		"cost --input input.json --scenario world.json", "record --history history.json --metrics metrics.json", "advise --input input.json --scenario world.json"}
	t.Chdir(t.TempDir())
	outputs := map[string]string{}
	for encoding := range encodings("") {
		for name, text := range files {
			writeText(t, name, encodings(text)[encoding])
		}
		for _, line := range commands {
			var out bytes.Buffer
			c := &command{stdin: strings.NewReader(encodings(canary)[encoding]), stdout: &out, stderr: &out}
			c.study = func(_ context.Context, q study.Question, _ func(int, int)) (study.Advice, error) {
				if string(q.Input) != canary || q.Scenario.Alarms["\U0001f680 ä"] != "OK" {
					t.Errorf("%s: advise reads %s, %v", encoding, q.Input, q.Scenario.Alarms)
				}
				return study.Advice{}, nil
			}
			if code := c.run(t.Context(), strings.Fields(line)); code != promoted || outputs[line] != "" && out.String() != outputs[line] {
				t.Errorf("%s: %s exits with %d and says %s", encoding, line, code, &out)
			}
			outputs[line] = out.String()
		}
		served := beginning{scenario: "world.json", template: "template.json", given: func(string) bool { return true }}
		if begin, err := served.settings(t.Context(), nil); err != nil || string(begin.Scenario) != files["world.json"] || string(begin.Template) != files["template.json"] {
			t.Errorf("%s: serve reads %.80q and %.80q: %v", encoding, begin.Scenario, begin.Template, err)
		}
	}
}

// TestErrorsNameTheFile that has them, and the line.
func TestErrorsNameTheFile(t *testing.T) {
	t.Chdir(t.TempDir())
	writeText(t, "world.json", "{\n\"endpoints\": {\"https://example.com/\": {\n\"statuss\": 1}},\n\"baseline\": null, \"metrics\": {},\n\"metrics\": {}}")
	writeText(t, "comma.json", "{\n\"history\": 0,\n}")
	writeText(t, "input.json", strings.Replace(canary, "60", "0,\n\"stepps\": 4", 1))
	writeText(t, "twice.json", strings.Replace(canary, "{", "{\"interval\": 1,\n", 1))
	writeText(t, "odd.json", "\xff\xfe{")
	writeText(t, "long.json", canary+strings.Repeat(" ", mostInputBytes))
	for line, want := range map[string][]string{
		"--scenario world.json": {"world.json is not a valid scenario:\n- world.json:3: endpoints[\"https://example.com/\"].statuss is not a known field (did you mean \"status\"?)",
			"- world.json:4: baseline must be an object, or be left out; given: null", "- world.json:5: metrics is given twice"},
		"--scenario comma.json":                   {"- comma.json: $ must be one JSON object; line 3"},
		"--scenario odd.json":                     {"odd.json: it looks like UTF-16 and has an odd number of bytes"},
		"--scenario error":                        {`there is no scenario "error" (did you mean "errors"?)`},
		"--scenario .":                            {"read .: is a directory"},
		"cost --input input.json":                 {"input.json would be refused:\n- input.json:1: interval must be", "- input.json:2: stepps is not a known field"},
		"advise --input input.json":               {"- input.json:1: interval must be"},
		"--input twice.json":                      {`twice.json: line 2: the name "interval" comes twice`},
		"cost --input twice.json":                 {`twice.json: line 2: the name "interval" comes twice`},
		"advise --input odd.json":                 {"odd.json: it looks like UTF-16"},
		"--input long.json":                       {"long.json is larger than 262144 bytes"},
		"--template odd.json":                     {"odd.json: it looks like UTF-16"},
		"record --history odd.json":               {"odd.json: it looks like UTF-16"},
		"serve --scenario world.json --listen :0": {"- world.json:3: endpoints"},
		"serve --template odd.json --listen :0":   {"odd.json: it looks like UTF-16"},
	} {
		code, stdout, stderr := typed("", strings.Fields(line)...)
		for _, part := range want {
			if code != refused || stdout != "" || !strings.Contains(stderr, part) {
				t.Errorf("%s exits with %d and says %s%s, without %s", line, code, stdout, stderr, part)
			}
		}
	}
}

// TestTheReadersErrorsAreReturned, as those of a pipe that breaks.
func TestTheReadersErrorsAreReturned(t *testing.T) {
	if _, err := readSource(t.Context(), "-", broken{}, 10); err == nil || err.Error() != "standard input: broken" {
		t.Errorf("it returns %v", err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken") }

// TestThePageAboutScenariosShowsARefusal as the command prints it.
func TestThePageAboutScenariosShowsARefusal(t *testing.T) {
	page, err := os.ReadFile("../../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)```\n(lambda-rollout: my.json is not a valid scenario:\n.*?\n)```.*?```json\n(.*?)```").FindStringSubmatch(string(page))
	if shown == nil {
		t.Fatal("the page has no scenario that is refused")
	}
	t.Chdir(t.TempDir())
	writeText(t, "my.json", shown[2])
	if code, _, stderr := typed("", "--scenario", "my.json"); code != refused || stderr != shown[1] {
		t.Errorf("the page shows %s\nand the command prints %s", shown[1], stderr)
	}
}
