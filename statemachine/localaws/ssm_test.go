package localaws

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

const mary = "arn:aws:iam::123456789012:user/Mary"

// configurations are those of clients of both transports.
func configurations(t *testing.T, s *Server) map[string]aws.Config {
	socket := httptest.NewServer(s)
	t.Cleanup(socket.Close)
	return map[string]aws.Config{"in process": s.Config(), "socket": s.ConfigAt(socket.URL)}
}

func TestParametersAndTheirHistory(t *testing.T) {
	clock := &virtualClock{now: noon}
	s := New(Options{Now: clock.Now, Sleep: clock.Sleep})
	for transport, cfg := range configurations(t, s) {
		t.Run(transport, func(t *testing.T) {
			client := ssm.NewFromConfig(cfg)
			name := "/rollout/" + strings.ReplaceAll(transport, " ", "-")
			start := clock.Now()
			put, err := client.PutParameter(t.Context(), &ssm.PutParameterInput{Name: &name, Value: aws.String("hold"), Type: types.ParameterTypeString})
			check(t, err)
			clock.Sleep(time.Minute + 250*time.Millisecond)
			check(t, s.PutParameter(name, "resume", mary))
			clock.Sleep(time.Minute)
			again, err := client.PutParameter(t.Context(), &ssm.PutParameterInput{Name: &name, Value: aws.String("abort"), Overwrite: aws.Bool(true), Description: aws.String("enough")})
			check(t, err)
			if put.Version != 1 || again.Version != 3 || put.Tier != types.ParameterTierStandard {
				t.Errorf("versions %d and %d, want 1 and 3", put.Version, again.Version)
			}

			for given, want := range map[string]string{name: "abort 3", name + ":2": "resume 2", "arn:aws:ssm:eu-central-1:123456789012:parameter" + name: "abort 3"} {
				got, err := client.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &given})
				check(t, err)
				p := got.Parameter
				if text := fmt.Sprint(*p.Value, " ", p.Version); text != want || *p.Name != name || p.Type != types.ParameterTypeString ||
					*p.ARN != "arn:aws:ssm:eu-central-1:123456789012:parameter"+name {
					t.Errorf("%s: %s of %s, want %s", given, text, *p.ARN, want)
				}
			}

			for _, size := range []int32{1, 2, 50} {
				got := ""
				for pages := ssm.NewGetParameterHistoryPaginator(client, &ssm.GetParameterHistoryInput{Name: &name, MaxResults: &size}); pages.HasMorePages(); {
					page, err := pages.NextPage(t.Context())
					check(t, err)
					if len(page.Parameters) > int(size) {
						t.Errorf("%d on a page of %d", len(page.Parameters), size)
					}
					for _, v := range page.Parameters {
						got += fmt.Sprintf("%d %s by %s at %s; ", v.Version, *v.Value, *v.LastModifiedUser, v.LastModifiedDate.Sub(start))
					}
				}
				want := "1 hold by arn:aws:iam::123456789012:user/local at 0s; 2 resume by " + mary + " at 1m0.25s; 3 abort by arn:aws:iam::123456789012:user/local at 2m0.25s; "
				if got != want {
					t.Errorf("pages of %d:\n%s, want\n%s", size, got, want)
				}
			}
		})
	}
}

func TestSecureParametersAreReadWithDecryptionOnly(t *testing.T) {
	s := New(Options{})
	check(t, s.PutSecureParameter("/shop/key", "hunter2", mary))
	client := ssm.NewFromConfig(s.Config())
	for decrypt, want := range map[bool]bool{true: true, false: false} {
		got, err := client.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/shop/key"), WithDecryption: &decrypt})
		check(t, err)
		history, err := client.GetParameterHistory(t.Context(), &ssm.GetParameterHistoryInput{Name: aws.String("/shop/key"), WithDecryption: &decrypt})
		check(t, err)
		for _, value := range []string{*got.Parameter.Value, *history.Parameters[0].Value} {
			if (value == "hunter2") != want || value == "" {
				t.Errorf("with decryption %v: %q", decrypt, value)
			}
		}
		if got.Parameter.Type != types.ParameterTypeSecureString {
			t.Errorf("the type is %s", got.Parameter.Type)
		}
	}
}

func TestOnlyTheLastHundredVersionsAreKept(t *testing.T) {
	s := New(Options{})
	for n := range 130 {
		check(t, s.PutParameter("p", fmt.Sprint(n+1), mary))
	}
	client := ssm.NewFromConfig(s.Config())
	var numbers []string
	for pages := ssm.NewGetParameterHistoryPaginator(client, &ssm.GetParameterHistoryInput{Name: aws.String("p")}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		check(t, err)
		for _, v := range page.Parameters {
			numbers = append(numbers, *v.Value)
		}
	}
	if len(numbers) != 100 || numbers[0] != "31" || numbers[99] != "130" {
		t.Errorf("%d versions: %v", len(numbers), numbers)
	}
	_, err := client.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("p:30")})
	if code, _ := outcome(err); code != "ParameterVersionNotFound" {
		t.Errorf("a version that is gone: %v", err)
	}
}

func TestParametersRefuseWhatAWSRefuses(t *testing.T) {
	s := New(Options{})
	client := ssm.NewFromConfig(s.Config())
	check(t, s.PutParameter("/p", "x", mary))
	put := func(in ssm.PutParameterInput) error {
		_, err := client.PutParameter(t.Context(), &in)
		return err
	}
	get := func(name string) error {
		_, err := client.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &name})
		return err
	}
	history := func(in ssm.GetParameterHistoryInput) error {
		_, err := client.GetParameterHistory(t.Context(), &in)
		return err
	}
	name, value := aws.String("/p"), aws.String("y")
	for what, c := range map[string]struct {
		err  error
		code string
	}{
		"exists":             {put(ssm.PutParameterInput{Name: name, Value: value, Type: types.ParameterTypeString}), "ParameterAlreadyExists"},
		"another type":       {put(ssm.PutParameterInput{Name: name, Value: value, Type: types.ParameterTypeSecureString, Overwrite: aws.Bool(true)}), "HierarchyTypeMismatchException"},
		"new without a type": {put(ssm.PutParameterInput{Name: aws.String("/q"), Value: value}), "ValidationException"},
		"reserved":           {put(ssm.PutParameterInput{Name: aws.String("/AWS/q"), Value: value, Type: types.ParameterTypeString}), "ValidationException"},
		"no slash first":     {put(ssm.PutParameterInput{Name: aws.String("a/b"), Value: value, Type: types.ParameterTypeString}), "ValidationException"},
		"no value":           {put(ssm.PutParameterInput{Name: aws.String("/q"), Value: aws.String(""), Type: types.ParameterTypeString}), "ValidationException"},
		"too long":           {put(ssm.PutParameterInput{Name: aws.String("/q"), Value: aws.String(strings.Repeat("x", 4097)), Type: types.ParameterTypeString}), "ValidationException"},
		"tags":               {put(ssm.PutParameterInput{Name: aws.String("/q"), Value: value, Type: types.ParameterTypeString, Tags: []types.Tag{{Key: name, Value: value}}}), "ValidationException"},
		"not there":          {get("/q"), "ParameterNotFound"},
		"no such version":    {get("/p:2"), "ParameterVersionNotFound"},
		"bad name":           {get("/p q"), "ValidationException"},
		"no history":         {history(ssm.GetParameterHistoryInput{Name: aws.String("/q")}), "ParameterNotFound"},
		"page of nothing":    {history(ssm.GetParameterHistoryInput{Name: name, MaxResults: aws.Int32(0)}), "ValidationException"},
		"page too big":       {history(ssm.GetParameterHistoryInput{Name: name, MaxResults: aws.Int32(51)}), "ValidationException"},
		"bad token":          {history(ssm.GetParameterHistoryInput{Name: name, NextToken: aws.String("7")}), "InvalidNextToken"},
	} {
		if code, status := outcome(c.err); code != c.code || status != 400 {
			t.Errorf("%s: %d %s, want %s (%v)", what, status, code, c.code, c.err)
		}
	}
	if exists := (*types.ParameterAlreadyExists)(nil); !errors.As(put(ssm.PutParameterInput{Name: name, Value: value, Type: types.ParameterTypeString}), &exists) {
		t.Error("the SDK does not know the error by its type")
	}
	if err := s.PutParameter("a b", "x", mary); err == nil {
		t.Error("a name with a space was taken")
	}
	got, err := client.GetParameter(t.Context(), &ssm.GetParameterInput{Name: name})
	check(t, err)
	if *got.Parameter.Value != "x" || got.Parameter.Version != 1 {
		t.Errorf("what was refused had an effect: %q, version %d", *got.Parameter.Value, got.Parameter.Version)
	}
}
