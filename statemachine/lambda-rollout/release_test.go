package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// shop is a release of three aliases in two waves.
const shop = `{
  "release": "shop", "waves": [["cart"], ["pay", "search"]], "check-interval": 30,
  "defaults": {"function-name": "MyFunction", "new-version": "2", "steps": 2, "interval": 60, "type": "linear"},
  "rollouts": {"cart": {"alias-name": "MyAlias"}, "pay": {"alias-name": "pay"}, "search": {"alias-name": "search"}}
}`

// with returns shop with more fields.
func with(more string) string { return strings.Replace(shop, `"release"`, more+`, "release"`, 1) }

// newShop serves an AWS that has the aliases of shop.
func newShop(t *testing.T, scenario string, authorize localaws.Authorize) *account {
	t.Helper()
	a := newAccount(t, scenario, authorize)
	for _, name := range []string{"pay", "search"} {
		_, err := a.lambda().CreateAlias(context.Background(), &lambda.CreateAliasInput{FunctionName: aws.String("MyFunction"), Name: &name, FunctionVersion: aws.String("1")})
		if err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// begunShop starts shop as first, and lets some of it pass.
func begunShop(t *testing.T, scenario, input string, after time.Duration) *account {
	t.Helper()
	a := newShop(t, scenario, nil)
	a.want(a.run("release", "start", "-f", a.write("release.json", input), "--name", "first"), 0, "started first: the release shop", "lambda-rollout release watch first", "lambda-rollout release rollback first")
	a.advance(after)
	return a
}

func TestAReleaseIsPromoted(t *testing.T) {
	a := newShop(t, `{}`, nil)
	r := a.run("release", "start", "-f", a.write("release.json", shop), "--name", "first", "--wait")
	a.want(r, 0, "wave 2 of 2 begins", "rollouts", "cart: ready", "PROMOTED: all 3 rollouts of the release are promoted")
	a.want(a.run("release", "start", "-f", a.write("release.json", shop), "--name", "first"), 0, "already started first", "ended       first: PROMOTED")
	a.want(a.run("release", "get", "first"), 0, "PROMOTED", "3 promoted", "first (shop)", "✓ cart")
	a.want(a.run("release", "promote", "first"), 1, "the release first has ended (promoted), and takes no orders")
	a.want(a.run("release", "watch", "first"), 0, "PROMOTED")
	a.want(a.run("release", "list", "--all"), 0, "release of 3 rollouts", "wave 2/2")
}

// TestReleasesAreSteered with orders, which members don't take themselves.
func TestReleasesAreSteered(t *testing.T) {
	approval := with(`"approval": {"before-waves": [2]}`)
	for _, test := range []struct {
		name, input string
		after       time.Duration
		args        []string
		code        int
		says        []string
	}{
		{"rollback", shop, 40 * time.Second, []string{"rollback", "first", "--reason", "no"}, 0, []string{"first: the order to roll back was written as version 1 of /lambda-rollout/releases/first; the release is at", "in wave 1 of 2", "obeyed: the release is"}},
		{"pause", shop, 40 * time.Second, []string{"pause", "first"}, 0, []string{"obeyed: the release is"}},
		{"advance", shop, 40 * time.Second, []string{"advance", "first"}, 0, []string{"obeyed: the release is"}},
		{"approve", approval, 4 * time.Minute, []string{"approve", "first"}, 0, []string{"obeyed: the release is at", "in wave 2 of 2"}},
		{"refuse", approval, 4 * time.Minute, []string{"refuse", "first"}, 0, []string{"obeyed: "}},
		{"approve too early", approval, 40 * time.Second, []string{"approve", "first"}, 1, []string{"the release first does not wait for an approval: it is at"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := begunShop(t, `{}`, test.input, test.after)
			a.want(a.run(append([]string{"release"}, test.args...)...), test.code, test.says...)
		})
	}
}

// TestMembersAreSteeredByTheirRelease and say of which they are.
func TestMembersAreSteeredByTheirRelease(t *testing.T) {
	a := begunShop(t, `{}`, shop, 40*time.Second)
	member := release.MemberName("first", "cart")
	a.want(a.run("promote", member), 2, "is a member of the release first, which decides on all its rollouts: steer that, with lambda-rollout release promote first")
	a.want(a.run("stop", member), 2, "lambda-rollout release stop first")
	if n := a.calls["PutParameter"]; n > 3 { // the release's own
		t.Errorf("%d parameters were written", n)
	}
	a.want(a.run("get", member), 0, "cart of the release first; see lambda-rollout release get first")
	a.want(a.run("explain", member), 0, "cart of the release first")
	a.want(a.run("list"), 0, "release of 3 rollouts")
	if r := a.run("list"); strings.Contains(r.stdout, member) {
		t.Errorf("the rollouts of the release are listed: %s", r.stdout)
	}
	a.want(a.run("list", "--members"), 0, member, "release of 3 rollouts")
	a.want(a.run("release", "get", member), 3, "there is no release "+member)
	a.want(a.run("get", "first"), 3, "there is no rollout first")
}

func TestStoppedReleasesAreEnded(t *testing.T) {
	a := begunShop(t, `{}`, shop, 100*time.Second)
	r := a.run("release", "stop", "first", "--reason", "wrong version")
	a.want(r, 0, "stopped first, which was at", "ROLLED BACK: ReleaseStopped: rolled back:")
	a.want(a.run("release", "get", "first"), 0, "ROLLED BACK", "execution:", "conclude-first-", "as the release's own execution did not")
	a.want(a.run("release", "stop", "first"), 1, "the release first has ended (rolled-back), and can't be stopped")
	a.want(a.run("list", "--all"), 0, "rolled-back", "release of 3 rollouts")
	if at := a.alias(); *at.FunctionVersion != "1" || at.RoutingConfig != nil {
		t.Errorf("the alias is at version %s", *at.FunctionVersion)
	}
}

// TestAReleaseIsWaitedFor until its end, with the exit codes of release start --wait.
func TestAReleaseIsWaitedFor(t *testing.T) {
	a := begunShop(t, `{}`, shop, 40*time.Second)
	a.want(a.run("release", "explain", "first"), 0, "what        The release runs: wave 1 of 2", "lambda-rollout release rollback first")
	a.want(a.run("release", "wait", "first"), 0, "wave 2 of 2 begins", "PROMOTED: all 3 rollouts of the release are promoted")
	a.want(a.run("release", "wait", "first", "-o", "json"), 0, `"result": "promoted"`, `"release": "shop"`)
	a.want(a.run("release", "explain", "first"), 0, "The release is promoted: 3 of 3 rollouts.", "All are on the new versions.")
	a.want(a.run("release", "explain", "first", "-o", "json"), 0, `"outcome": "promoted"`)
	a.want(a.run("release", "wait", "missing"), 3, "there is no release missing")
	a.want(a.run("release", "explain", "missing"), 3, "there is no release missing")
	a.want(a.run("release", "explain", release.MemberName("first", "cart")), 3, "there is no release")
}

func TestABadReleaseIsWaitedFor(t *testing.T) {
	a := begunShop(t, `{"new-version": {"error-rate": 0.5}}`, shop, 10*time.Second)
	a.want(a.run("release", "wait", "first"), 1, "ROLLED BACK: ")
	a.want(a.run("release", "explain", "first"), 0, "The release was rolled back, with 3 rollouts.", "It decided to roll back at", "lambda-rollout explain first.cart", "All are on their baselines.")
}

func TestABadReleaseIsRolledBack(t *testing.T) {
	a := newShop(t, `{"new-version": {"error-rate": 0.5}}`, nil)
	a.want(a.run("release", "start", "-f", a.write("release.json", shop), "--name", "first", "--wait"), 1, "cart: rolled back: ", "ROLLED BACK: ")
	a.want(a.run("release", "get", "first"), 0, "✕ cart")
}

func TestARollbackThatFailsIsShown(t *testing.T) {
	a := begunShop(t, `{"new-version": {"error-rate": 0.5}, "faults": [{"operation": "UpdateAlias", "kind": "throttled", "from": 20}]}`, shop, 10*time.Minute)
	a.want(a.run("release", "get", "first"), 0, "ROLLING BACK", "cart is being rolled back, which fails and is retried", "✕ cart", "under way", "its rollback fails, and is retried: ")
}

func TestAnInterruptedReleaseIsStopped(t *testing.T) {
	a := newShop(t, `{}`, nil)
	ctx, cancel := context.WithCancelCause(context.Background())
	waits := 0
	a.slept = func() {
		if waits++; waits == 6 {
			cancel(interruption{syscall.SIGINT})
		}
	}
	a.want(a.runIn(ctx, 0, "release", "start", "-f", a.write("release.json", shop), "--name", "first", "--wait"), 130, "interrupted; the release was stopped, and another execution rolls all its rollouts back")
}

// TestReleasesAreChecked: all problems at once, with the lines of the file.
func TestReleasesAreChecked(t *testing.T) {
	a := newShop(t, `{}`, nil)
	a.want(a.run("release", "check", "-f", a.write("release.json", shop)), 0, "The release shop would start: 3 rollouts in 2 waves, promoted or rolled back together.", "wave 2      pay, search", "not checked")
	bad := strings.Replace(strings.Replace(shop, `"alias-name": "pay"`, `"alias-name": "pai"`, 1), `"alias-name": "search"`, `"alias-name": "search", "new-version": "9"`, 1)
	a.want(a.run("release", "check", "-f", a.write("release.json", bad)), 2, "release.json:4: pay: there is no alias pai", "release.json:4: search: there is no version 9")
	a.want(a.run("release", "start", "-f", a.write("release.json", strings.Replace(shop, `"search"]`, `"serch"]`, 1))), 2, "release.json:2: waves[1][1]", "did you mean")
	if a.calls["StartExecution"] > 0 {
		t.Error("a release was started")
	}
}

// TestADeniedCallDoesNotHideOtherProblems: a check says what it could not read, and all that is
// wrong with the others.
func TestADeniedCallDoesNotHideOtherProblems(t *testing.T) {
	a := newShop(t, `{}`, func(principal, action, resource string, _ map[string][]string) error {
		if principal == operator && (action == "cloudwatch:DescribeAlarms" || strings.Contains(resource, ":function:theirs")) {
			return fmt.Errorf("no resource-based policy allows the %s action", action)
		}
		return nil
	})
	denied := strings.Replace(shop, `"alias-name": "pay"`, `"function-name": "theirs", "alias-name": "pay", "health": {"alarms": ["errors"]}`, 1)
	bad := strings.Replace(denied, `"alias-name": "search"`, `"alias-name": "search", "new-version": "9"`, 1)
	unread := []string{"not all of ", "- pay: the AWS credentials don't allow lambda:GetAlias, ", "- pay: the AWS credentials don't allow lambda:GetFunctionConfiguration, ", "- pay: the AWS credentials don't allow cloudwatch:DescribeAlarms"}
	a.want(a.run("release", "check", "-f", a.write("release.json", bad)), 2, append(unread, "release.json:4: search: there is no version 9")...)
	a.want(a.run("release", "check", "-f", a.write("release.json", denied)), 3, unread...)
	a.want(a.run("release", "start", "-f", a.write("release.json", denied)), 3, append(unread, "not started (--no-check leaves the checks to the workflow)")...)
	r := a.run("release", "check", "-o", "json", "-f", a.write("release.json", bad))
	a.want(r, 2, `"would-start": false`, `"unread": [`, `"name": "VersionNotFound"`)
}

// TestACheckThatAWSDoesNotAnswerStops, and says what it had found until then.
func TestACheckThatAWSDoesNotAnswerStops(t *testing.T) {
	a := newShop(t, `{}`, nil)
	bad := strings.Replace(shop, `"alias-name": "MyAlias"`, `"alias-name": "dead"`, 1)
	a.inject(localaws.Fault{Operation: "GetAlias", Kind: localaws.Unavailable, First: 3})
	r := a.run("release", "check", "-f", a.write("release.json", bad))
	a.want(r, 2, "cart: there is no alias dead", "- pay: ", "- so 1 more rollout was not checked")
	if strings.Contains(r.all(), "- search") {
		t.Error("search was checked:", r.all())
	}
}

func TestReleasesAsJSON(t *testing.T) {
	a := begunShop(t, `{}`, shop, 100*time.Second)
	for _, args := range [][]string{{"get", "first"}, {"list"}, {"pause", "first"}, {"check", "-f", "-"}, {"start", "-f", a.write("release.json", shop), "--name", "first"}, {"stop", "first"}} {
		a.stdin = strings.NewReader(shop)
		r := a.run(append([]string{"release", "-o", "json"}, args...)...)
		var document map[string]any
		if err := json.Unmarshal([]byte(r.stdout), &document); err != nil || len(document) < 3 {
			t.Errorf("%s prints %s, %v, %s", args, r.stdout, err, r.stderr)
		}
	}
}

func TestReleasesAtEachWidth(t *testing.T) {
	for _, columns := range []int{40, 80, 200} {
		a := newShop(t, `{}`, nil)
		start := a.runIn(t.Context(), columns, "release", "start", "-f", a.write("release.json", shop), "--name", "first")
		a.advance(100 * time.Second)
		get := a.runIn(t.Context(), columns, "release", "get", "first")
		list := a.runIn(t.Context(), columns, "list")
		order := a.runIn(t.Context(), columns, "release", "rollback", "first", "--reason", "seen enough")
		a.advance(5 * time.Minute)
		after := a.runIn(t.Context(), columns, "release", "get", "first")
		golden(t, fmt.Sprintf("release-%d", columns), start.all()+get.all()+list.all()+order.all()+after.all())
	}
}
