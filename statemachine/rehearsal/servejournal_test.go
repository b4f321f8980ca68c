package rehearsal

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

func TestAKilledAWSIsRestored(t *testing.T) {
	for _, c := range []struct {
		name, scenario string
		reads          bool
		want           types.ExecutionStatus
	}{
		{"promoted", `{}`, false, types.ExecutionStatusSucceeded},
		{"promoted, with reads between", `{}`, true, types.ExecutionStatusSucceeded},
		{"rolled back", `{"changes": [{"after": 700, "new-version": {"error-rate": 0.3}}]}`, false, types.ExecutionStatusFailed},
		{"with faults", `{"faults": [{"operation": "GetFunctionConfiguration", "kind": "throttled", "first": 3, "count": 2}]}`, true, types.ExecutionStatusSucceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			first := keep(t, filepath.Join(t.TempDir(), "data"), c.scenario, 0)
			arn := first.use(t, c.reads)
			if e, a := describe(t, first.cfg, arn), aliasOf(t, first.cfg, servedFunction); e.Status != types.ExecutionStatusRunning || a.RoutingConfig == nil {
				t.Fatalf("when it is killed, the rollout is %s, and the weights are %v", e.Status, a.RoutingConfig)
			}
			was := first.state(t)
			second := keep(t, first.killed(t), c.scenario, 0)
			sameState(t, was, second.state(t))
			for _, k := range []keptAWS{first, second} {
				advance(t, k.ServedAWS, 20*time.Minute)
				if e := describe(t, k.cfg, arn); e.Status != c.want {
					t.Errorf("it ended %s: %s", e.Status, aws.ToString(e.Cause))
				}
			}
			sameState(t, first.state(t), second.state(t))
			second.end()
			third := keep(t, second.path, c.scenario, 0)
			sameState(t, first.state(t), third.state(t))
		})
	}
}

func TestATimeThatPassesByItselfIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	first := keep(t, path, `{}`, 600)
	arn := startOn(t, first.ServedAWS, first.cfg, servedFunction, "kept")
	var wait sync.WaitGroup
	for i := range 4 { // clients call while time passes
		wait.Go(func() {
			for j := range 10 {
				_, err := ssm.NewFromConfig(first.cfg).PutParameter(context.Background(), &ssm.PutParameterInput{Name: aws.String(fmt.Sprintf("/p%d", i)), Value: aws.String(fmt.Sprint(j)), Type: "String", Overwrite: aws.Bool(true)})
				if err != nil {
					t.Error(err)
				}
				aliasOf(t, first.cfg, servedFunction)
			}
		})
	}
	wait.Wait()
	time.Sleep(2500 * time.Millisecond) // more than a time is kept later
	copied := first.killed(t)
	first.end()
	was := first.Now()
	second := keep(t, path, `{}`, 0)
	if !second.Now().Equal(was) || was.Sub(started) < 10*time.Minute {
		t.Errorf("it was %s, and is %s", was, second.Now())
	}
	killed := keep(t, copied, `{}`, 0)
	if at := killed.Now(); at.After(was) || was.Sub(at) > 20*time.Minute {
		t.Errorf("it was %s when the command ended, and is %s after it is killed before", was, at)
	}
	advance(t, killed.ServedAWS, second.Now().Sub(killed.Now()))
	sameState(t, second.state(t), killed.state(t))
	advance(t, second.ServedAWS, 30*time.Minute)
	if e := describe(t, second.cfg, arn); e.Status != types.ExecutionStatusSucceeded {
		t.Errorf("it ended %s: %s", e.Status, aws.ToString(e.Cause))
	}
}

func TestAnAWSThatDoesSomethingElseIsNotRestored(t *testing.T) {
	first := keep(t, filepath.Join(t.TempDir(), "data"), `{}`, 0)
	first.use(t, false)
	for _, c := range []struct{ scenario, want string }{
		{`{"latency": 1}`, "does not do what it did"},
		{`{"faults": [{"operation": "SetAlarmState", "kind": "throttled"}]}`, "answers request"},
	} {
		_, err := tryToKeep(t, first.killed(t), c.scenario, 0)
		if err == nil || !strings.Contains(err.Error(), "can't be restored by this version of lambda-rollout") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("with the scenario %s, the error is %v", c.scenario, err)
		}
	}
}

func TestWhatIsStoredHasNoSignatures(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:1/2015-03-31/functions/a%2Fb?x=%20", nil)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-central-1/lambda/aws4_request, SignedHeaders=host, Signature=secretsignature")
	r.Header.Set("X-Amz-Security-Token", "secrettoken")
	r.Header.Set("Cookie", "secretcookie")
	r.Header.Set("X-Amz-Target", "T")
	text, err := wireForm(r, []byte("body"))
	if err != nil || strings.Contains(string(text), "secret") {
		t.Fatalf("%v: %s", err, text)
	}
	back, err := fromWire(text)
	if err != nil {
		t.Fatal(err)
	}
	if back.URL.Path != r.URL.Path || back.URL.RawPath != r.URL.RawPath || back.URL.RawQuery != r.URL.RawQuery || back.Host != r.Host ||
		back.Header.Get("X-Amz-Target") != "T" || !strings.HasSuffix(back.Header.Get("Authorization"), "lambda/aws4_request") {
		t.Errorf("%+v", back)
	}
}

func TestWhatCannotBeStoredIsNotPerformed(t *testing.T) {
	k := keep(t, filepath.Join(t.TempDir(), "data"), `{}`, 0)
	before := aliasOf(t, k.cfg, servedFunction)
	if err := k.journal.Close(); err != nil { // every write fails from now on
		t.Fatal(err)
	}
	_, err := lambda.NewFromConfig(k.cfg).UpdateAlias(context.Background(), &lambda.UpdateAliasInput{FunctionName: aws.String(servedFunction), Name: aws.String(servedAlias), FunctionVersion: aws.String("2")})
	if err == nil || !strings.Contains(err.Error(), "not performed") || !strings.Contains(err.Error(), "503") {
		t.Errorf("the error is %v", err)
	}
	if after := aliasOf(t, k.cfg, servedFunction); *after.RevisionId != *before.RevisionId {
		t.Errorf("the alias has changed")
	}
	now := k.Now()
	if _, err := k.Advance(time.Minute); err == nil || !k.Now().Equal(now) {
		t.Errorf("time moves on: %v", err)
	}
}
