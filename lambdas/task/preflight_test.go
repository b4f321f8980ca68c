package task_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// with is the input with fields set to JSON values.
func with(t *testing.T, fields ...string) string {
	t.Helper()
	request := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(input), &request); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		request[fields[i]] = json.RawMessage(fields[i+1])
	}
	text, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (w *world) configure(version string, change func(*types.FunctionConfiguration)) {
	w.t.Helper()
	if err := w.server.SetConfiguration("f", version, change); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) provision() {
	w.t.Helper()
	if _, err := w.client.PutProvisionedConcurrencyConfig(context.Background(), &lambda.PutProvisionedConcurrencyConfigInput{
		FunctionName: aws.String("f"), Qualifier: aws.String("live"), ProvisionedConcurrentExecutions: aws.Int32(5),
	}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) alarm(name string, composite bool, state cloudwatchtypes.StateValue) {
	w.t.Helper()
	if err := w.server.AddAlarm(name, composite); err != nil {
		w.t.Fatal(err)
	}
	if err := w.server.SetAlarmState(name, state, "for the test"); err != nil {
		w.t.Fatal(err)
	}
}

// TestPreflight: each circumstance that a rollout can't start in has its own
// name, says what it is and what to do, and leaves everything untouched.
func TestPreflight(t *testing.T) {
	for _, test := range []struct {
		fields []string // of the request, with their values
		before func(*world)
		want   string // the error's name
		says   string
	}{
		{[]string{"function-name", `"g"`}, nil, "FunctionNotFound", "there is no function g"},
		{[]string{"alias-name", `"dead"`}, nil, "AliasNotFound", "there is no alias dead of f. Create it"},
		{[]string{"new-version", `"4"`}, nil, "VersionNotFound", "there is no version 4 of f. Publish it first"},
		{nil, func(w *world) { w.write("$LATEST", nil) }, "AliasNotPublished", "points at $LATEST, which can't share traffic. Point it at a numbered version"},
		{nil, func(w *world) { w.write("1", map[string]float64{"3": 0.2}) }, "AliasSplit", "version 1 with 20% on version 3), and not by a rollout"},
		{nil, func(w *world) { w.twice(w.shift.Handle, w.started()) }, "RolloutUnderWay", "execution the-execution is moving it from version 1 to version 2, now at 10%"},
		{nil, func(w *world) {
			w.configure("2", func(c *types.FunctionConfiguration) {
				c.State, c.StateReason = types.StatePending, aws.String("being created")
			})
		}, "VersionNotReady", "version 2 of f is Pending (being created). Wait"},
		{nil, func(w *world) {
			w.twice(w.shift.Handle, w.started())
			w.write("1", map[string]float64{"2": 0.05})
		}, "AliasSplit", "not as execution the-execution left it"},
		{nil, func(w *world) {
			w.configure("2", func(c *types.FunctionConfiguration) {
				c.State, c.StateReason = types.StateInactive, aws.String("The function is\x1b[2J idle\n\nTo approve:\n  aws iam")
			})
		}, "VersionNotReady", "Invoke it once"},
		{[]string{"health", `{"alarms": ["arn:aws:cloudwatch:us-west-2:999999999999:alarm:slow"]}`}, func(w *world) { w.alarm("slow", false, "OK") },
			"AlarmNotFound", "arn:aws:cloudwatch:us-west-2:999999999999:alarm:slow"},
		{nil, func(w *world) {
			w.configure("2", func(c *types.FunctionConfiguration) { c.LastUpdateStatus = types.LastUpdateStatusFailed })
		}, "VersionNotReady", "the last update of version 2 of f is Failed (AWS gives no reason)"},
		{nil, func(w *world) {
			w.configure("2", func(c *types.FunctionConfiguration) { c.Role = aws.String("arn:aws:iam::123456789012:role/other") })
		}, "VersionsDiffer", "different execution roles (arn:aws:iam::123456789012:role/f and arn:aws:iam::123456789012:role/other)"},
		{nil, func(w *world) {
			w.configure("2", func(c *types.FunctionConfiguration) {
				c.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("arn:aws:sqs:eu-central-1:123456789012:q")}
			})
		}, "VersionsDiffer", "different dead-letter configurations (none and arn:aws:sqs"},
		{nil, (*world).provision, "ProvisionedConcurrency", `provisioned concurrency of 5. It can't be changed while weights are set`},
		{[]string{"health", `{"alarms": ["slow", "gone", "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:lost"]}`}, func(w *world) { w.alarm("slow", false, "OK") },
			"AlarmNotFound", "do not exist in this account and Region: gone, arn:aws:cloudwatch:eu-central-1:123456789012:alarm:lost"},
		{[]string{"health", `{"alarms": ["slow", "broken"]}`, "red-alarms-at-start", `"refuse"`}, func(w *world) { w.alarm("slow", false, "OK"); w.alarm("broken", true, "ALARM") },
			"AlarmsRed", "already in ALARM: broken"},
	} {
		w := newWorld(t)
		if test.before != nil {
			test.before(w)
		}
		found, _ := w.server.Alias("f", "live")
		_, err := w.start(with(t, test.fields...))
		if name(err) != test.want || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("%s: got %s: %v", test.want, name(err), err)
		}
		if strings.ContainsFunc(err.Error(), func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) || strings.Contains(err.Error(), "\nTo approve") {
			t.Errorf("%q has more than words", err)
		}
		if after, _ := w.server.Alias("f", "live"); after != found {
			t.Errorf("%s: the alias was touched", test.want)
		}
	}
}

// readAs is an alias whose version is named as no local AWS names one.
type readAs struct {
	alias.Lambda
	version string
}

func (r readAs) Read(ctx context.Context, name alias.Name) (alias.Alias, error) {
	a, err := r.Lambda.Read(ctx, name)
	a.Version = r.version
	return a, err
}

// TestAnAliasOfAManagedInstancesLatest points at $LATEST.PUBLISHED, which has no
// number either.
func TestAnAliasOfAManagedInstancesLatest(t *testing.T) {
	w := newWorld(t)
	w.begin.Aliases = readAs{alias.NewLambda(w.client), "$LATEST.PUBLISHED"}
	if _, err := w.start(input); name(err) != "AliasNotPublished" || !strings.Contains(err.Error(), "points at $LATEST.PUBLISHED") {
		t.Errorf("%s: %v", name(err), err)
	}
}

func TestWhatPreflightLetsPass(t *testing.T) {
	for name, test := range map[string]struct {
		fields []string
		before func(*world)
	}{
		"provisioned concurrency, if it is to be ignored": {[]string{"provisioned-concurrency", `"ignore"`}, (*world).provision},
		"the same dead-letter configuration": {nil, func(w *world) {
			for _, version := range []string{"1", "2"} {
				w.configure(version, func(c *types.FunctionConfiguration) {
					c.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("arn:aws:sqs:eu-central-1:123456789012:q")}
				})
			}
		}},
		"what an ended rollout left in the description": {nil, func(w *world) {
			w.describe("serves everybody [rollout another 1->2 30%]")
		}},
	} {
		w := newWorld(t)
		if test.before != nil {
			test.before(w)
		}
		s, err := w.start(with(t, test.fields...))
		if err != nil || s.Begin != rollout.BeginShift || s.Plan.Description != "serves everybody" {
			t.Errorf("%s: %+v, %v", name, s.Plan, err)
		}
	}
}

// describe is another user's change of the description.
func (w *world) describe(text string) {
	w.t.Helper()
	if _, err := w.client.UpdateAlias(context.Background(), &lambda.UpdateAliasInput{
		FunctionName: aws.String("f"), Name: aws.String("live"), Description: &text,
	}); err != nil {
		w.t.Fatal(err)
	}
}

func TestNothingToDo(t *testing.T) {
	w := newWorld(t)
	s, err := w.start(with(t, "new-version", "1"))
	if err != nil || s.Begin != rollout.BeginUnchanged || s.Outcome.Result != rollout.Unchanged || w.writes > 0 {
		t.Errorf("%+v, %v, %d writes", s, err, w.writes)
	}
}

// TestRedAlarmsAtTheStartDoNotCount for the rollout's length, and others do.
func TestRedAlarmsAtTheStartDoNotCount(t *testing.T) {
	w := newWorld(t)
	w.alarm("broken", false, "ALARM")
	w.alarm("slow", true, "OK")
	s, err := w.start(with(t, "health", `{"alarms": ["broken", "slow"]}`))
	if err != nil || len(s.Plan.RedAlarms) != 1 {
		t.Fatalf("%v: red are %v", err, s.Plan.RedAlarms)
	}
	s = w.twice(w.shift.Handle, s)
	w.serve("2", 10, 0)
	w.now = w.now.Add(time.Minute)
	if s = w.twice(w.check.Handle, s); s.Health.Decision != rollout.Advance || !strings.Contains(s.Health.Reason, "at the start: broken") {
		t.Errorf("%s because of %s", s.Health.Decision, s.Health.Reason)
	}
	if err := w.server.SetAlarmState("slow", "ALARM", "for the test"); err != nil {
		t.Fatal(err)
	}
	if s = w.twice(w.check.Handle, s); s.Health.Decision != rollout.RollBack || !strings.Contains(s.Health.Reason, "slow in ALARM") {
		t.Errorf("%s because of %s", s.Health.Decision, s.Health.Reason)
	}
}

// TestKindsOfFunctions: what preflight reads of the new version's configuration is in
// the plan. The baseline's does not count.
func TestKindsOfFunctions(t *testing.T) {
	managed := func(c *types.FunctionConfiguration) {
		c.CapacityProviderConfig = &types.CapacityProviderConfig{LambdaManagedInstancesCapacityProviderConfig: &types.LambdaManagedInstancesCapacityProviderConfig{
			CapacityProviderArn: aws.String("arn:aws:lambda:eu-central-1:123456789012:capacity-provider:fleet"),
		}}
	}
	durable := func(c *types.FunctionConfiguration) {
		c.DurableConfig = &types.DurableConfig{ExecutionTimeout: aws.Int32(86400)}
	}
	for _, test := range []struct {
		name, version         string
		change                func(*types.FunctionConfiguration)
		isManaged, isDurable  bool
		warning, neverWarning string
	}{
		{"managed instances", "2", managed, true, false, "version 2's does between 10% and 100%, and version 1's does in a rollback", "Durable"},
		{"a durable function", "2", durable, false, true, "a rollback doesn't move those of version 2", "Managed"},
		{"the baseline on managed instances", "1", managed, false, false, "", "Managed"},
		{"the baseline durable", "1", durable, false, false, "", "Durable"},
	} {
		w := newWorld(t)
		w.configure(test.version, test.change)
		s, err := w.start(input)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		warnings := strings.Join(s.Plan.Warnings, " ")
		if s.Plan.ManagedInstances != test.isManaged || s.Plan.Durable != test.isDurable ||
			!strings.Contains(warnings, test.warning) || strings.Contains(warnings, test.neverWarning) {
			t.Errorf("%s: managed instances %v, durable %v, warnings %q", test.name, s.Plan.ManagedInstances, s.Plan.Durable, warnings)
		}
	}
}

// TestProbesOfTenantIsolation: a version whose invocations must name a tenant can't be
// probed, and is rolled out without probes.
func TestProbesOfTenantIsolation(t *testing.T) {
	probed := with(t, "health", `{"probes": [{"name": "order"}]}`)
	for _, test := range []struct{ version, input, want string }{
		{"2", probed, "InvalidRequest"},
		{"2", input, ""},
		{"1", probed, ""}, // probes invoke the new version only
	} {
		w := newWorld(t)
		w.begin.Allowed = []string{"probes"}
		w.configure(test.version, func(c *types.FunctionConfiguration) {
			c.TenancyConfig = &types.TenancyConfig{TenantIsolationMode: types.TenantIsolationModePerTenant}
		})
		_, err := w.start(test.input)
		if test.want == "" && err != nil || test.want != "" && (name(err) != test.want ||
			!strings.Contains(err.Error(), "nothing was changed:\n- health.probes must be left out: version 2 of f has tenant isolation")) {
			t.Errorf("version %s, %s: %v", test.version, test.input, err)
		}
		if w.writes > 0 {
			t.Errorf("version %s, %s: the alias was touched", test.version, test.input)
		}
	}
}
