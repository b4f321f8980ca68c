package rehearsal

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// ownKey is a key that a stack is given.
const ownKey = "arn:aws:kms:eu-central-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"

// narrowed is the template of a stack that names its function, and has a key of its
// own. Neither setting touches what the other makes of the roles, so that one
// synthesis tries both.
var narrowed = sync.OnceValues(func() ([]byte, error) {
	return synthesize(`, "functions": "f", "kms-key": "` + ownKey + `"`)
})

func narrowedTemplate(t testing.TB) *Template {
	t.Helper()
	return narrowedChanged(t, "", "")
}

// narrowedChanged is the same with one text in place of all others.
func narrowedChanged(t testing.TB, from, to string) *Template {
	t.Helper()
	data, err := narrowed()
	if err != nil {
		t.Fatal(err)
	}
	if from != "" {
		if !bytes.Contains(data, []byte(from)) {
			t.Fatalf("the template has no %s", from)
		}
		data = bytes.ReplaceAll(data, []byte(from), []byte(to))
	}
	template, err := ParseTemplate(data)
	if err != nil {
		t.Fatal(err)
	}
	return template
}

var withNarrowed rehearsed

// narrowedPlays are all plays, about the function that is named.
func narrowedPlays(t *testing.T) []played {
	t.Helper()
	var all []play
	for _, p := range slices.Concat(plays(t), nestedPlays(), latePlays(), stackPlays(), releasePlays(t)) {
		p.options.Input = bytes.ReplaceAll(p.options.Input, []byte("MyFunction"), []byte("f"))
		if p.release != nil { // two aliases of the one function
			o := *p.release
			o.Input = bytes.ReplaceAll(o.Input, []byte(`"function-name":"function-000"`), []byte(`"function-name":"f"`))
			o.Input = bytes.ReplaceAll(o.Input, []byte(`"function-name":"function-001"`), []byte(`"function-name":"f","alias-name":"other"`))
			p.release = &o
		}
		p.name += ", narrowed"
		all = append(all, p)
	}
	return withNarrowed.all(t, narrowedTemplate(t), all)
}

// TestNarrowedRolesAreSeenWhenTheyDiffer takes each permission away that other
// stacks have not, and gives one more.
func TestNarrowedRolesAreSeenWhenTheyDiffer(t *testing.T) {
	t.Parallel()
	template := narrowedTemplate(t)
	usual := map[held]bool{}
	for principal, policies := range deployedTemplate(t).roles() {
		for _, permission := range policies.Permissions() {
			usual[held{principal, permission}] = true
		}
	}
	differ := 0
	for principal, policies := range template.roles() {
		for _, permission := range policies.Permissions() {
			h := held{principal, permission}
			if usual[h] {
				continue
			}
			differ++
			plays := slices.DeleteFunc(narrowedPlays(t), func(p played) bool { return p.needed[h] == 0 })
			if len(plays) == 0 {
				t.Errorf("nothing needs %s", h)
				continue
			}
			shortest := slices.MinFunc(plays, func(a, b played) int { return cmp.Compare(a.took, b.took) })
			if result, _, err := shortest.with(template, h); err != nil || len(result.Denied) == 0 {
				t.Errorf("%s ends the same without %s: %v", shortest.name, h, err)
			}
		}
	}
	if differ < 20 {
		t.Errorf("only %d permissions differ from those of functions by tag, under AWS's keys", differ)
	}
	const use, want = `"kms:GenerateDataKey",`, "lambda-rollout-HealthCheck: kms:Encrypt on " + ownKey
	if found := unneeded(narrowedChanged(t, use, use+`"kms:Encrypt",`), narrowedPlays(t)); !slices.ContainsFunc(found, func(one string) bool { return strings.HasPrefix(one, want) }) {
		t.Errorf("found %q, and not %s", found, want)
	}
}
