package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"
)

var (
	shellBlock = regexp.MustCompile("(?ms)^ *```(?:sh|bash)\n(.*?)^ *```$")
	inlineCode = regexp.MustCompile("`([^`\n]+)`")
	otherBlock = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
)

// ourNames are how a shell calls the command.
var ourNames = [][]string{{"lambda-rollout"}, {"./lambda-rollout"}, {"go", "run", "./statemachine/lambda-rollout"}, {"go", "run", "-v", "./statemachine/lambda-rollout"}}

// text returns a word of a shell; what the shell expands is 1.
func text(parts []syntax.WordPart) string {
	var all strings.Builder
	for _, part := range parts {
		switch p := part.(type) {
		case *syntax.Lit:
			all.WriteString(strings.NewReplacer("\\\n", "", `\`, "").Replace(p.Value))
		case *syntax.SglQuoted:
			all.WriteString(p.Value)
		case *syntax.DblQuoted:
			all.WriteString(text(p.Parts))
		default:
			all.WriteString("1")
		}
	}
	return all.String()
}

// calls returns the arguments of the calls of the command in a script.
func calls(script string) ([][]string, error) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
	if err != nil {
		return nil, err
	}
	var all [][]string
	syntax.Walk(file, func(node syntax.Node) bool {
		call, is := node.(*syntax.CallExpr)
		if !is {
			return true
		}
		var words []string
		for _, arg := range call.Args {
			words = append(words, text(arg.Parts))
		}
		for _, name := range ourNames {
			if len(words) > len(name) && slices.Equal(words[:len(name)], name) {
				all = append(all, words[len(name):])
			}
		}
		return true
	})
	return all, nil
}

// unparsable returns why the command does not parse arguments; nil if it does. It does not
// run what they ask for.
func unparsable(args []string, whole bool) error {
	root := (&command{stdin: strings.NewReader("")}).root()
	builtIn(root)
	root.InitDefaultCompletionCmd()
	sub, rest, err := root.Find(doubled(root, args))
	if err != nil {
		return err
	}
	sub.InitDefaultHelpFlag()
	sub.InitDefaultVersionFlag()
	if err := sub.ParseFlags(rest); err != nil {
		return err
	}
	if given := sub.Flags().Args(); whole || sub == root || sub.HasSubCommands() && len(given) > 0 {
		return sub.ValidateArgs(given)
	}
	return nil
}

// badCommandLines returns what is wrong with a page's command lines, and how many it has.
// Those within a text may leave out arguments.
func badCommandLines(page string) (bad []string, found int) {
	try := func(script string, whole bool) {
		all, err := calls(script)
		if err != nil {
			bad = append(bad, fmt.Sprintf("%v in\n%s", err, script))
		}
		for _, args := range all {
			found++
			if err := unparsable(args, whole); err != nil {
				bad = append(bad, fmt.Sprintf("lambda-rollout %s: %v", strings.Join(args, " "), err))
			}
		}
	}
	for _, block := range shellBlock.FindAllStringSubmatch(page, -1) {
		try(block[1], true)
	}
	for _, code := range inlineCode.FindAllStringSubmatch(otherBlock.ReplaceAllString(page, ""), -1) {
		if slices.ContainsFunc(ourNames, func(name []string) bool { return strings.HasPrefix(code[1], strings.Join(name, " ")+" ") }) {
			try(code[1], false)
		}
	}
	return bad, found
}

// TestTheDocumentationsCommandLinesAreParsed by the command itself: each has a subcommand
// that there is, with its options, their values and the number of its arguments.
func TestTheDocumentationsCommandLinesAreParsed(t *testing.T) {
	found := 0
	for _, pattern := range []string{"../../README.md", "../../docs/*.md", "../../docs/*/*.md", "../../docs/*/*/*.md"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			page, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			bad, n := badCommandLines(string(page))
			for _, problem := range bad {
				t.Errorf("%s: %s", file, problem)
			}
			found += n
		}
	}
	if found < 100 {
		t.Errorf("only %d command lines were found", found)
	}
	for _, page := range []string{
		"```sh\nlambda-rollout begin -f rollout.json\n```", "```sh\nlambda-rollout get\n```", "   ```sh\n   echo 1 && lambda-rollout list --limit many\n   ```",
		"```sh\ngo run ./statemachine/lambda-rollout cost --inputs rollout.json\n```", "```sh\ngo run -v ./statemachine/lambda-rollout rehears\n```", "see `lambda-rollout release begin`", "```sh\nlambda-rollout get \"a\n```",
	} {
		if bad, _ := badCommandLines(page + "\n"); len(bad) != 1 {
			t.Errorf("%s has %q", page, bad)
		}
	}
}
