package console

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// shop creates a second function, as MyFunction is, and returns the input of a release of both.
func (w *world) shop(more string) string {
	w.t.Helper()
	functions := lambda.NewFromConfig(w.cfg)
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	_, zipErr := z.Create("bootstrap")
	if err := errors.Join(zipErr, z.Close()); err != nil {
		w.t.Fatal(err)
	}
	_, err := functions.CreateFunction(context.Background(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("Other"), Role: aws.String("arn:aws:iam::123456789012:role/any"), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &types.FunctionCode{ZipFile: archive.Bytes()}, Publish: true, Tags: map[string]string{"lambda-rollout": "enabled"},
	})
	w.advance(5 * time.Second)
	for _, step := range []func() error{
		func() error {
			_, err := functions.CreateAlias(context.Background(), &lambda.CreateAliasInput{FunctionName: aws.String("Other"), Name: aws.String("MyAlias"), FunctionVersion: aws.String("1")})
			return err
		},
		func() error {
			_, err := functions.UpdateFunctionConfiguration(context.Background(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("Other"), Description: aws.String("second")})
			w.advance(5 * time.Second)
			return err
		},
		func() error {
			_, err := functions.PublishVersion(context.Background(), &lambda.PublishVersionInput{FunctionName: aws.String("Other")})
			w.advance(5 * time.Second)
			return err
		},
	} {
		if err == nil {
			err = step()
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return `{"release": "shop <b>2</b>", ` + more + `"check-interval": 30, "waves": [["cart"], ["other"]], "defaults": {"alias-name": "MyAlias", "new-version": "2", "type": "linear", "steps": 2, "interval": 120},
		"rollouts": {"cart": {"function-name": "MyFunction"}, "other": {"function-name": "Other"}}}`
}

func TestAReleaseFromStartToItsEnd(t *testing.T) {
	w := newWorld(t, `{}`)
	c := callerOf(t, w.options())
	input := w.shop(`"approval": {"before-waves": [2], "before-promotion": true}, `)
	holds(t, c.get(200, "releases"), "There are no releases.", `href="/_rollouts/release/start"`)
	if to := c.post(http.StatusSeeOther, "release/start", "name", "r1", "json", input).Header().Get("Location"); to != prefix+"release?did=started&name=r1" {
		t.Errorf("the start leads to %s", to)
	}
	w.advance(time.Minute)
	page := c.get(200, "release", "name", "r1", "did", "started")
	holds(t, page, "The execution was started.", "Running", "shop <b>2</b>", "1 waiting, 1 under way", `id="wave">1 of 2`, "MyFunction:MyAlias", "▶", `data-every="1"`, "Stop it", "Steer", "The last check")
	holds(t, page, "Diagram of the workflow", `<svg class="machine"`, "<b>PlanRelease</b> <span class=\"visits\">entered once, 1 attempt", "<b>Wait</b> <b>▶ here</b>", "The execution is in Wait.", `<li class="idle"><b>RevertRelease</b>`)
	row := page[strings.Index(page, ">cart</a>")-100:]
	link := row[strings.Index(row, "name=")+5 : strings.Index(row, `">cart`)]
	member := c.get(200, "execution", "name", link)
	holds(t, member, `<a href="/_rollouts/release?name=r1">r1</a>`, "reads no orders of its own")
	if strings.Contains(member, "Promote now") || strings.Contains(page, ">other</a>") {
		t.Error("a rollout of a release takes orders, or one that has not started has a page")
	}
	w.advance(6 * time.Minute)
	holds(t, c.get(200, "release", "name", "r1"), "Waiting for approval", "Wave 2 waits for approval since", "1 waiting, 1 ready", ">Approve</button>")
	if to := c.post(http.StatusSeeOther, "release/order", "name", "r1", "command", "approve").Header().Get("Location"); to != prefix+"release?did=ordered-approve&name=r1" {
		t.Errorf("the order leads to %s", to)
	}
	holds(t, c.get(200, "release", "name", "r1", "did", "ordered-approve"), "The order approve was given.", "no check has read it yet")
	w.advance(8 * time.Minute)
	holds(t, c.get(200, "release", "name", "r1"), "The promotion waits for approval since", "approve</b> by", ": obeyed", "2 ready")
	c.post(http.StatusSeeOther, "release/order", "name", "r1", "command", "approve")
	w.advance(4 * time.Minute)
	page = c.get(200, "release", "name", "r1")
	holds(t, page, "Promoted", "Why it ended", "all 2 rollouts of the release are promoted", "<b>promote</b>", "2 promoted", `data-every="5"`, "Release promoted")
	holds(t, page, "<b>Promoted</b> <span class=\"visits\">entered once")
	if strings.Contains(page, "▶ here") || strings.Contains(page, "last input and output") {
		t.Error("it has ended, or its visits have no pages")
	}
	if strings.Contains(page, "Stop it") {
		t.Error("a release that ended can be stopped")
	}
	holds(t, c.get(200, "releases", "status", "SUCCEEDED"), ">r1</a>")
	holds(t, c.get(200, "release/start", "from", "r1"), `value="shop &lt;b&gt;2&lt;/b&gt;"`, `{"alias-name": "MyAlias", "new-version": "2", "type": "linear", "steps": 2, "interval": 120}`)
}

// TestAReleaseThatGoesBad is rolled back, with the evidence of the rollout that did.
func TestAReleaseThatGoesBad(t *testing.T) {
	w := newWorld(t, bad)
	c := callerOf(t, w.options())
	c.post(http.StatusSeeOther, "release/start", "name", "r1", "json", w.shop(""))
	w.advance(10 * time.Minute)
	page := c.get(200, "release", "name", "r1")
	holds(t, page, "Rolled back", `class="verdict bad"`, "version 2 failed", "✕</span> rolled back", "<b>Unhealthy</b>", "roll-back</b>", "Release rolled back")
}

// TestAReleaseThatIsStopped is ended by another execution, on the same page.
func TestAReleaseThatIsStopped(t *testing.T) {
	w := newWorld(t, `{}`)
	c := callerOf(t, w.options())
	c.post(http.StatusSeeOther, "release/start", "name", "r1", "json", w.shop(""))
	w.advance(2 * time.Minute)
	c.post(http.StatusSeeOther, "release/order", "name", "r1", "command", "pause")
	w.advance(time.Minute)
	holds(t, c.get(200, "release", "name", "r1"), "Paused", "Held by an order of", ">Resume</button>", "pause</b> by")
	if _, err := ssm.NewFromConfig(w.cfg).PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String(release.ControlParameter("r1")), Value: aws.String("resume"), Description: aws.String("<calm> again"), Overwrite: aws.Bool(true),
	}); err != nil {
		t.Fatal(err)
	}
	const why = "; the reason given: “&lt;calm&gt; again”"
	holds(t, c.get(200, "release", "name", "r1"), "no check has read it yet"+why)
	w.advance(time.Minute)
	holds(t, c.get(200, "release", "name", "r1"), "resume</b> by", why)
	if to := c.post(http.StatusSeeOther, "release/stop", "name", "r1", "cause", "<enough>").Header().Get("Location"); to != prefix+"release?did=halted&name=r1" {
		t.Errorf("the stop leads to %s", to)
	}
	holds(t, c.get(200, "release", "name", "r1", "did", "halted"), "The release’s execution was stopped.", "Stopped, another execution will end it")
	w.advance(10 * time.Minute)
	page := c.get(200, "release", "name", "r1")
	holds(t, page, "Rolled back", "ReleaseStopped", "Another one does: arn:aws:states:", "conclude-r1-", "<b>PlanRelease</b> <span class=\"visits\">entered 2 times", "<b>Rolled back</b> <span class=\"visits\">entered once")
	name := page[strings.Index(page, "conclude-r1-"):]
	holds(t, c.get(200, "release", "name", name[:strings.IndexAny(name, "<. ")]), "<b>r1</b>") // of which it is a part
}

func TestReleasesThatAreNotThere(t *testing.T) {
	w := newWorld(t, `{}`)
	c := callerOf(t, w.options())
	c.post(http.StatusSeeOther, "start", "name", "plain", "json", example)
	for _, name := range []string{"none", "", "..", "a:b", "<script>", "plain", strings.Repeat("n", 81), "arn:aws:states:eu-central-1:123456789012:execution:x:y"} {
		c.get(404, "release", "name", name)
		c.post(404, "release/stop", "name", name)
		c.post(404, "release/order", "name", name, "command", "pause")
	}
	holds(t, c.post(http.StatusBadRequest, "release/order", "name", "none", "command", "destroy").Body.String(), "There is no such order.")
	without := w.options()
	without.ReleaseStateMachineARN = ""
	c = callerOf(t, without)
	for _, path := range []string{"release", "releases", "release/start"} {
		c.get(404, path, "name", "none")
	}
	if strings.Contains(c.get(200, ""), "release") {
		t.Error("there are links to releases")
	}
}

// TestTheFormOfReleases says what is wrong, by field.
func TestTheFormOfReleases(t *testing.T) {
	w := newWorld(t, `{}`)
	c := callerOf(t, w.options())
	page := c.post(http.StatusUnprocessableEntity, "release/start", "release", "shop", "rollouts", `{"a": {"function-name": "f", "new-version": "two"}}`, "waves", `[["b"]]`, "defaults", `{"alias-name": "live"}`).Body.String()
	holds(t, page, "Not started", `<a href="#field-rollouts">rollouts.a.new-version`, `<a href="#field-waves">waves`, "a is in none")
	holds(t, c.post(http.StatusUnprocessableEntity, "release/start", "release", "shop", "rollouts", "{").Body.String(), "rollouts must be JSON")
	holds(t, c.post(http.StatusUnprocessableEntity, "release/start").Body.String(), `href="#field-release"`, `href="#field-rollouts"`)
	holds(t, c.get(200, "releases"), "There are no releases.")
}

// TestHostileReleases gives everything that a user can give of a release the form of a script.
func TestHostileReleases(t *testing.T) {
	const evil = "\"><script>alert(1)</script>\u202egnp."
	w := newWorld(t, `{}`)
	c := callerOf(t, w.options())
	text := strings.ReplaceAll(evil, `"`, `\"`)
	inputs := []string{
		strings.Replace(w.shop(""), "shop <b>2</b>", text, 1),
		`{"release": "` + text + `", "plan": {"owner": "` + text + `"}, "members": {"` + text + `": {"state": "` + text + `", "error": "` + text + `"}}}`,
	}
	for i, input := range inputs {
		name := fmt.Sprintf("r%d", i)
		c.post(http.StatusSeeOther, "release/start", "name", name, "json", input)
		w.advance(time.Minute)
		c.post(http.StatusSeeOther, "release/stop", "name", name, "cause", evil)
		for _, page := range []string{c.get(200, "release", "name", name, "from", evil, "did", evil), c.get(200, "releases"), c.get(200, "release/start", "from", name)} {
			if strings.Contains(page, "<script>") || strings.ContainsRune(page, '\u202e') {
				t.Errorf("%d: something is not escaped", i)
			}
			if strings.Contains(page, `href="/_rollouts/execution?name=%22`) {
				t.Error("forged members are shown")
			}
		}
	}
}

// TestAPageOfAThousand rollouts lists some of them.
func TestAPageOfAThousand(t *testing.T) {
	p := &releasePage{Release: fakeRelease(1000)}
	p.describe("950")
	if len(p.Members) != 50 || p.Earlier != 900 || p.Later != 0 || p.Members[0].Name != "m950" {
		t.Errorf("%d members from %s, before %d, after %d", len(p.Members), p.Members[0].Name, p.Earlier, p.Later)
	}
	for _, from := range []string{"", "-1", "1000", "x", "99999999999999999999"} {
		p.Members = nil
		if p.describe(from); len(p.Members) != 50 || p.Earlier != -1 || p.Later != 50 {
			t.Errorf("from %q: %d members, before %d, after %d", from, len(p.Members), p.Earlier, p.Later)
		}
	}
	if w := p.Waves; len(w) != 2 || w[0].Rollouts != 500 || w[1].Standings != "500 under way" || w[1].Weight != 0.5 {
		t.Errorf("the waves are %+v", w)
	}
}

// fakeRelease returns a release with n rollouts that are under way, in two waves.
func fakeRelease(n int) *rollouts.Release {
	r := &rollouts.Release{Waves: 2, Standings: map[release.Standing]int{release.UnderWay: n}}
	for i := range n {
		r.Rollouts = append(r.Rollouts, rollouts.ReleaseMember{Name: fmt.Sprintf("m%03d", i), Wave: 1 + i%2, Standing: release.UnderWay, Weight: 0.5})
	}
	return r
}
