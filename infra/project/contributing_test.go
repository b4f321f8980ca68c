package project

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mapRow is a row of the map in docs/CONTRIBUTING.md: a group or nothing, a
// package, and what it is for.
var mapRow = regexp.MustCompile("(?m)^\\| [^|]*\\| `([a-z/-]+)` \\| [^|]+ \\|$")

// mapped returns the packages in the map of docs/CONTRIBUTING.md, in order.
func mapped(t *testing.T, page string) []string {
	t.Helper()
	_, section, _ := strings.Cut(page, "\n## Map\n")
	section, _, found := strings.Cut(section, "\n### ")
	if !found {
		t.Fatal("docs/CONTRIBUTING.md has no section Map with a subsection")
	}
	var names []string
	for _, row := range mapRow.FindAllStringSubmatch(section, -1) {
		names = append(names, row[1])
	}
	slices.Sort(names)
	return names
}

func TestTheMapHasEachPackageOnce(t *testing.T) {
	sources(t)
	var want []string
	for _, pkg := range packages(t) {
		want = append(want, pkg.ImportPath)
	}
	slices.Sort(want)
	page := read(t, "docs", "CONTRIBUTING.md")
	if diff := cmp.Diff(want, mapped(t, page)); diff != "" {
		t.Errorf("packages (-go list ./... +docs/CONTRIBUTING.md):\n%s", diff)
	}
	for _, change := range [][2]string{
		{"`lambdas/health/gates` |", "`lambdas/health/gate` |"}, // renamed
		{"| | `lambdas/health/gates` |", "`lambdas/health/gates` |"},
	} {
		bad := strings.Replace(page, change[0], change[1], 1)
		if bad == page || slices.Equal(want, mapped(t, bad)) {
			t.Errorf("with %q in place of %q the map passes", change[1], change[0])
		}
	}
}

// pathsOf are what a page says is in the tree: the targets of its links, and the
// files that it names in `code` from the root.
var (
	linkTarget = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	namedFile  = regexp.MustCompile("`((?:lambdas|statemachine|infra|docs|\\.ci)/[A-Za-z0-9_/.-]+)`")
)

// missing returns what a page in docs names and the tree does not have.
func missing(page string) []string {
	var names []string
	for _, link := range linkTarget.FindAllStringSubmatch(page, -1) {
		names = append(names, filepath.Join("docs", link[1]))
	}
	for _, file := range namedFile.FindAllStringSubmatch(page, -1) {
		names = append(names, file[1])
	}
	return slices.DeleteFunc(names, func(name string) bool {
		if strings.Contains(name, "NAME") {
			name = filepath.Dir(name)
		}
		_, err := os.Stat(filepath.Join(root, name))
		return err == nil
	})
}

func TestContributingNamesWhatExists(t *testing.T) {
	page := read(t, "docs", "CONTRIBUTING.md")
	if found := missing(page); len(found) > 0 {
		t.Errorf("docs/CONTRIBUTING.md names what does not exist: %q", found)
	}
	for _, change := range []string{"(../lambdas/rollout/decision.go)", "`infra/project/arrows_test.go`", "(gates.md)"} {
		bad := strings.ReplaceAll(page, change, strings.Replace(change, ".", "2.", 1))
		if bad == page || len(missing(bad)) == 0 {
			t.Errorf("with another name than %s the page passes", change)
		}
	}
}

// fuzzTarget is the declaration of a fuzz target.
var fuzzTarget = regexp.MustCompile(`(?m)^func (Fuzz[A-Z]\w*)\(`)

func TestContributingListsTheFuzzTargets(t *testing.T) {
	page := read(t, "docs", "CONTRIBUTING.md")
	found := 0
	for name, source := range sources(t) {
		for _, target := range fuzzTarget.FindAllStringSubmatch(string(source), -1) {
			if found++; !strings.Contains(page, fmt.Sprintf("`%s`", target[1])) {
				t.Errorf("docs/CONTRIBUTING.md does not list %s of %s", target[1], name)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d fuzz targets were found", found)
	}
}
