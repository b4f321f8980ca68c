package rehearsal

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// whenThingsGoWrong links the rows of the runbook's table of that name, by the
// beginning of their first cell, to what the sweep tries of them.
var whenThingsGoWrong = []struct {
	row string
	// worlds and kinds are the names of undisturbed rollouts and of disturbances.
	worlds, kinds []string
	// endings are those that the row names. A disturbance that comes too late, or
	// that does no harm, leaves the rollout's own ending.
	endings []Outcome
}{
	{row: "the new version has more errors or is slower", worlds: []string{"bad", "long and bad", "simple and bad"}, endings: []Outcome{RolledBack}},
	{row: "someone orders a rollback, or no one approves", worlds: []string{"not approved"}, kinds: []string{"a rollback is ordered"}, endings: []Outcome{RolledBack}},
	{row: "someone pauses it, or gives an order that is not known", kinds: []string{"paused, or held by a mistyped order"}},
	{row: "a notification can't be delivered", kinds: []string{"notifications can't be delivered"}},
	{row: "the new version gets no requests", worlds: []string{"not called"}, endings: []Outcome{Promoted}},
	{row: "AWS throttles, fails, or is slow", kinds: []string{"a call fails"}, endings: []Outcome{RolledBack}},
	{row: "a proxy, a firewall or a load balancer answers", kinds: []string{"a proxy answers"}, endings: []Outcome{RolledBack}},
	{row: "AWS can't be reached for minutes", kinds: []string{"AWS is away for minutes"}, endings: []Outcome{RolledBack, NotStarted}},
	{row: "an answer is lost after its effect", kinds: []string{"an answer is lost"}, endings: []Outcome{RolledBack}},
	{row: "health can't be read", kinds: []string{"health can't be read"}, endings: []Outcome{RolledBack}},
	{row: "someone stops the execution", kinds: []string{"stopped"}, endings: []Outcome{Stopped}},
	{row: "someone stops a part of a long rollout", kinds: []string{"a part is stopped"}, endings: []Outcome{RolledBack, Stopped}},
	{row: "a shift is under way when the execution is stopped", kinds: []string{"a write comes late"}, endings: []Outcome{Stopped}},
	{row: "a stopped execution is redriven", kinds: []string{"redriven"}, endings: []Outcome{RolledBack, RollbackFailed}},
	{row: "someone starts an execution that claims to continue", kinds: []string{"a forged continuation"}},
	{row: "the new version is deleted before its first traffic", kinds: []string{"the new version is deleted"}, endings: []Outcome{Refused, RolledBack}},
	{row: "reads of the alias lag", kinds: []string{"reads lag"}},
	{row: "a function crashes, or runs twice", kinds: []string{"a function dies", "a function runs twice"}},
	{row: "the stack's own functions are Inactive", kinds: []string{"a function is idle"}},
	{row: "someone changes the alias's weights or version", kinds: []string{"changed by hand"}, endings: []Outcome{AliasChanged, Refused}},
	{row: "someone changes the alias's description, but not the marker", kinds: []string{"text changed by hand"}, endings: []Outcome{AliasChanged, RolledBack}},
	{row: "someone replaces the whole description, marker included", kinds: []string{"description replaced"}, endings: []Outcome{AliasChanged}},
	{row: "someone writes the alias again without changes", kinds: []string{"written as it was"}, endings: []Outcome{AliasChanged}},
	{row: "someone deletes the alias", kinds: []string{"deleted"}, endings: []Outcome{AliasChanged, Refused}},
	{row: "AWS can't allocate provisioned concurrency", worlds: []string{"provisioned in vain"}, endings: []Outcome{RolledBack}},
	{row: "a rollout is stopped while AWS moves", worlds: []string{"provisioned", "moved"}, endings: []Outcome{Promoted}},
	{row: "a second rollout of the alias is started", kinds: []string{"a second rollout"}, endings: []Outcome{Refused, AliasChanged}},
	{row: "the function's tag is removed", kinds: []string{"the tag is taken off"}, endings: []Outcome{RolledBack, RollbackFailed, Refused}},
	{row: "the event of an execution's end arrives twice", kinds: []string{"a stray event and a sweep"}},
	{row: "rollback fails for more than half an hour", kinds: []string{"AWS is away for an hour"}, endings: []Outcome{RollbackFailed, RolledBack, NotStarted}},
}

// rowWords are how rows name endings.
var rowWords = map[Outcome]string{
	Promoted: "Promoted", RolledBack: "Rolled back", Refused: "Refused", NotStarted: "Not started", AliasChanged: "Alias changed",
	RollbackFailed: "Rollback failed", Stopped: "ABORTED",
}

// rowsWhenThingsGoWrong reads the runbook's table: the first cell and the second.
func rowsWhenThingsGoWrong(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "runbook.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## When things go wrong")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := map[string]string{}
	for _, line := range strings.Split(section, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) == 5 && !strings.Contains(line, "---") && strings.TrimSpace(cells[1]) != "what happens" {
			rows[strings.TrimSpace(cells[1])] = cells[2]
		}
	}
	return rows
}

// TestTheRunbookTellsWhatTheSweepTries: each row of "When things go wrong" is tried by
// the sweep, each kind of disturbance has a row, and what a row says of the end is
// what is seen.
func TestTheRunbookTellsWhatTheSweepTries(t *testing.T) {
	t.Parallel()
	rows, c := rowsWhenThingsGoWrong(t), newCombiner(t)
	worldsThere, kindsThere := map[string]bool{}, map[string]bool{}
	for _, s := range c.subjects {
		worldsThere[s.name] = true
	}
	for _, k := range kinds() {
		kindsThere[k.name] = false
	}
	for _, link := range whenThingsGoWrong {
		found := slices.DeleteFunc(slices.Collect(maps.Keys(rows)), func(row string) bool { return !strings.HasPrefix(row, link.row) })
		if len(found) != 1 {
			t.Errorf("%d rows of the runbook begin with %q", len(found), link.row)
			continue
		}
		says := rows[found[0]]
		delete(rows, found[0])
		if len(link.kinds)+len(link.worlds) == 0 {
			t.Errorf("nothing tries %q", link.row)
		}
		seen := map[Outcome]bool{}
		for _, name := range link.worlds {
			if !worldsThere[name] {
				t.Errorf("%s: there is no rollout %q", link.row, name)
				continue
			}
			seen[c.plain[name].outcome] = true
		}
		for _, name := range link.kinds {
			if _, ok := kindsThere[name]; !ok {
				t.Errorf("%s: there is no kind %q", link.row, name)
				continue
			}
			kindsThere[name] = true
			maps.Copy(seen, c.endings(name, link.endings))
		}
		for ending := range seen {
			if !slices.Contains(link.endings, ending) {
				t.Errorf("%s: some end as %s", found[0], ending)
			}
		}
		for _, ending := range link.endings {
			if !seen[ending] {
				t.Errorf("%s: none ends as %s", found[0], ending)
			}
			if !strings.Contains(says, rowWords[ending]) {
				t.Errorf("%s: the row does not say that it may end as %q: %s", found[0], rowWords[ending], says)
			}
		}
	}
	for row := range rows {
		t.Errorf("no kind of disturbance is linked to the row %q", row)
	}
	for name, linked := range kindsThere {
		if !linked {
			t.Errorf("no row has the kind %q", name)
		}
	}
}

// Endings are looked for until all that a row names are seen.
const (
	fewestDraws = 24
	mostDraws   = 600
)

// endings are how rollouts end that one disturbance of a kind befalls, other than
// they would without it. It draws until it has seen those that are wanted.
func (c *combiner) endings(kind string, wanted []Outcome) map[Outcome]bool {
	only := *c
	only.only = []string{kind}
	seen := map[Outcome]bool{}
	for from := 0; from < mostDraws; from += fewestDraws {
		for _, outcome := range only.outcomes(from, fewestDraws) {
			seen[outcome] = true
		}
		if !slices.ContainsFunc(wanted, func(o Outcome) bool { return !seen[o] }) {
			break
		}
	}
	delete(seen, "")
	return seen
}

// outcomes are those of some drawn combinations, empty if they are as without
// any disturbance.
func (c *combiner) outcomes(from, cases int) []Outcome {
	draw, seen := c.draw(1), make([]Outcome, cases)
	OnAllCores(cases, func(i int) {
		of := draw.Example(from + i)
		if len(of.kinds) == 0 {
			return // the one-function deployer has none of them
		}
		if o, err := c.try(of); err == nil && o.outcome != of.subject.outcome {
			seen[i] = o.outcome
		}
	})
	return seen
}
