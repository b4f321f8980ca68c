package project

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// markdown returns the tree's pages by their names from the root.
func markdown(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	tree := os.DirFS(root)
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || name == "cdk.out"):
			return fs.SkipDir
		case path.Ext(name) == ".md":
			text, err := fs.ReadFile(tree, name)
			all[name] = string(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var (
	fenced      = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	codeSpan    = regexp.MustCompile("`[^`\n]*`")
	inlineLink  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	linkByName  = regexp.MustCompile(`\]\[([a-z0-9-]+)\]`)
	definedLink = regexp.MustCompile(`(?m)^\[([^\]]+)\]: (\S+)$`)
	heading     = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
)

// prose returns a page without its code.
func prose(page string) string {
	return codeSpan.ReplaceAllString(fenced.ReplaceAllString(page, ""), "``")
}

// anchors returns those of a page's headings, as GitHub makes them.
func anchors(page string) map[string]bool {
	all, seen := map[string]bool{}, map[string]int{}
	for _, found := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		title := regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(found[1], "$1")
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ' || r == '-':
				return '-'
			case r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r):
				return unicode.ToLower(r)
			}
			return -1
		}, title)
		if n := seen[anchor]; n > 0 {
			all[fmt.Sprintf("%s-%d", anchor, n)] = true
		} else {
			all[anchor] = true
		}
		seen[anchor]++
	}
	return all
}

// targets returns where a page's links lead, and the names of links that it does not define.
func targets(page string) (all, undefined []string) {
	text := prose(page)
	defined := map[string]bool{}
	for _, link := range definedLink.FindAllStringSubmatch(text, -1) {
		defined[link[1]] = true
		all = append(all, link[2])
	}
	for _, link := range inlineLink.FindAllStringSubmatch(text, -1) {
		all = append(all, link[1])
	}
	for _, link := range linkByName.FindAllStringSubmatch(text, -1) {
		if !defined[link[1]] {
			undefined = append(undefined, link[1])
		}
	}
	return all, undefined
}

// reached returns the file in the tree to which a page's relative link leads, and the
// anchor in it; "" for a link to the web.
func reached(from, target string) (file, anchor string) {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return "", ""
	}
	file, anchor, _ = strings.Cut(target, "#")
	if file == "" {
		return from, anchor
	}
	return path.Join(path.Dir(from), file), anchor
}

// brokenLinks returns what is wrong with the links of the pages.
func brokenLinks(all map[string]string) (broken []string, links int) {
	for name, page := range all {
		found, undefined := targets(page)
		for _, name := range undefined {
			broken = append(broken, "["+name+"] is not defined")
		}
		for _, target := range found {
			links++
			file, anchor := reached(name, target)
			if file == "" {
				if address, err := url.Parse(target); err != nil || address.Scheme != "https" && address.Scheme != "http" || address.Host == "" {
					broken = append(broken, name+": "+target+" is no address")
				}
				continue
			}
			if _, err := fs.Stat(os.DirFS(root), file); err != nil {
				broken = append(broken, name+": there is no "+file)
			} else if page, is := all[file]; anchor != "" && (!is || !anchors(page)[anchor]) {
				broken = append(broken, fmt.Sprintf("%s: %s has no section #%s", name, file, anchor))
			}
		}
	}
	slices.Sort(broken)
	return broken, links
}

func TestEveryLinkResolves(t *testing.T) {
	all := markdown(t)
	broken, links := brokenLinks(all)
	for _, problem := range broken {
		t.Error(problem)
	}
	if links < 300 {
		t.Errorf("only %d links were found", links)
	}
	for _, change := range [][2]string{
		{"(docs/getting-started.md)", "(docs/getting-startet.md)"}, {"(docs/runbook.md#endings)", "(docs/runbook.md#ends)"},
		{"[fl]: https://", "[flag]: https://"}, {"[fl]: https://", "[fl]: ttps://"},
	} {
		bad := map[string]string{}
		for name, page := range all {
			bad[name] = page
		}
		bad["README.md"] = strings.Replace(all["README.md"], change[0], change[1], 1)
		if broken, _ := brokenLinks(bad); len(broken) == 0 || bad["README.md"] == all["README.md"] {
			t.Errorf("with %s the README passes", change[1])
		}
	}
}

// TestTheIndexHasEveryPage of the documentation, in a table, and the README leads to the index.
func TestTheIndexHasEveryPage(t *testing.T) {
	all := markdown(t)
	listed := map[string]bool{"docs/README.md": true}
	for line := range strings.Lines(all["docs/README.md"]) {
		if strings.HasPrefix(line, "| [") {
			found, _ := targets(line)
			for _, target := range found {
				file, _ := reached("docs/README.md", target)
				listed[file] = true
			}
		}
	}
	pages := 0
	for name := range all {
		if strings.HasPrefix(name, "docs/") {
			if pages++; !listed[name] {
				t.Errorf("docs/README.md does not list %s", name)
			}
		}
	}
	if pages < 30 {
		t.Errorf("only %d pages were found", pages)
	}
	if found, _ := targets(all["README.md"]); !slices.Contains(found, "docs/README.md") {
		t.Error("the README does not lead to docs/README.md")
	}
	delete(listed, "docs/README.md")
	if len(listed) != pages-1 {
		t.Errorf("the index lists %d pages, and there are %d", len(listed), pages-1)
	}
}

// TestEveryFileOfTheDocumentationIsLinked from some page.
func TestEveryFileOfTheDocumentationIsLinked(t *testing.T) {
	linked := map[string]bool{"docs/docs.go": true}
	for name, page := range markdown(t) {
		found, _ := targets(page)
		for _, target := range found {
			file, _ := reached(name, target)
			linked[file] = true
		}
	}
	err := fs.WalkDir(os.DirFS(root), "docs", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !linked[name] {
			t.Errorf("no page has a link to %s", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestTheReadmeIsShort enough to be read, and its comparison names its sources.
func TestTheReadmeIsShort(t *testing.T) {
	page := read(t, "README.md")
	if n := strings.Count(page, "\n"); n > 200 {
		t.Errorf("the README has %d lines, more than 200", n)
	}
	if bad, rows := unsourced(page); len(bad) > 0 || rows < 8 {
		t.Errorf("of %d rows of the comparison, these have cells without a source: %q", rows, bad)
	}
	if bad, _ := unsourced(strings.Replace(page, "[your alarms'][sam]", "your alarms", 1)); len(bad) != 1 {
		t.Errorf("without a source, the comparison has %q", bad)
	}
}

// unsourced returns the cells about other products in the README's comparison that neither
// have a source nor say that there is none, and the number of rows.
func unsourced(page string) (bad []string, rows int) {
	_, table, _ := strings.Cut(page, "\n## Compared with\n")
	table, _, _ = strings.Cut(table, "\nRead in ")
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(line, "|\n "), "|")
		if len(cells) != 7 || strings.Contains(line, "---") || strings.HasPrefix(line, "| |") {
			continue
		}
		rows++
		for _, cell := range cells[2:] {
			cell = strings.TrimSpace(cell)
			if !linkByName.MatchString(cell) && !strings.HasPrefix(cell, "none documented") && cell != "an AWS service" {
				bad = append(bad, strings.TrimSpace(cells[0])+": "+cell)
			}
		}
	}
	return bad, rows
}

// percentages are those in a text.
var percentages = regexp.MustCompile(`([0-9.]+)%`)

// TestTheReadmeHasTheBenchmarksFigures: the most false alarms of this project's rule and of
// an alarm on one error, in the rows of docs/benchmark.md.
func TestTheReadmeHasTheBenchmarksFigures(t *testing.T) {
	_, grid, _ := strings.Cut(read(t, "docs", "benchmark.md"), "\n## The published grid\n")
	most := func(rule string) string {
		worst, highest := "", -1.0
		for line := range strings.Lines(grid) {
			if cells := strings.Split(line, "|"); len(cells) > 12 && strings.TrimSpace(cells[1]) == rule {
				for _, share := range percentages.FindAllStringSubmatch(strings.Join(cells[2:12], " "), -1) {
					if value, err := strconv.ParseFloat(share[1], 64); err == nil && value > highest {
						worst, highest = share[0], value
					}
				}
				break // the second grid is below
			}
		}
		return worst
	}
	want := fmt.Sprintf("[at most %s in the benchmark](docs/benchmark.md#the-published-grid), where an alarm on one error has up to %s", most("this project"), most("alarm: 1 error in a minute"))
	if !strings.Contains(read(t, "README.md"), want) {
		t.Errorf("the README does not say %q", want)
	}
}
