package localaws

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

func TestTheCallerIsReported(t *testing.T) {
	denies := func(principal, action, resource string, context map[string][]string) error {
		t.Errorf("%s is asked for %s", principal, action)
		return nil
	}
	s := New(Options{Authorize: denies})
	type identity struct{ ARN, Account, UserID string }
	for transport, cfg := range configurations(t, s) {
		got := map[string]identity{}
		for _, principal := range []string{"", "arn:aws:sts::111122223333:assumed-role/deployer/session-1", "arn:aws:iam::111122223333:user/mary", "AKIAIOSFODNN7EXAMPLE"} {
			client := sts.NewFromConfig(cfg)
			if principal != "" {
				client = sts.NewFromConfig(s.As(principal, cfg))
			}
			out, err := client.GetCallerIdentity(t.Context(), nil)
			check(t, err)
			got[principal] = identity{*out.Arn, *out.Account, *out.UserId}
		}
		local := identity{"arn:aws:iam::123456789012:user/local", "123456789012", "AIDA3XOY7EJFY3I4UBINK"}
		want := map[string]identity{
			"": local, "AKIAIOSFODNN7EXAMPLE": local,
			"arn:aws:sts::111122223333:assumed-role/deployer/session-1": {"arn:aws:sts::111122223333:assumed-role/deployer/session-1", "111122223333", got["arn:aws:sts::111122223333:assumed-role/deployer/session-1"].UserID},
			"arn:aws:iam::111122223333:user/mary":                       {"arn:aws:iam::111122223333:user/mary", "111122223333", got["arn:aws:iam::111122223333:user/mary"].UserID},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", transport, diff)
		}
		if id := got["arn:aws:sts::111122223333:assumed-role/deployer/session-1"].UserID; len(id) != len("AROA")+17+len(":session-1") || id[:4] != "AROA" || id[21:] != ":session-1" {
			t.Errorf("%s: user id %s", transport, id)
		}
		_, err := sts.NewFromConfig(cfg).GetSessionToken(t.Context(), nil)
		if code, status := outcome(err); code != "InvalidAction" || status != 400 {
			t.Errorf("%s: an operation that is not there: %v", transport, err)
		}
	}
}
