package localaws

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"
)

// TestSeveralParameters are read and deleted, of which some don't exist.
func TestSeveralParameters(t *testing.T) {
	var asked []string
	w := newWorld(t, Options{Authorize: func(_, action, resource string, _ map[string][]string) error {
		asked = append(asked, action+" "+resource)
		return nil
	}})
	client := ssm.NewFromConfig(w.As("arn:aws:sts::123456789012:assumed-role/r/f", w.Config()))
	for _, value := range []string{"1", "2"} {
		check(t, w.PutParameter("/a/b", value, "arn:aws:iam::123456789012:user/x"))
	}
	check(t, w.PutParameter("c", "3", "arn:aws:iam::123456789012:user/x"))
	out, err := client.GetParameters(t.Context(), &ssm.GetParametersInput{Names: []string{"/a/b:1", "/none", "c", "c:9"}})
	check(t, err)
	var got []string
	for _, p := range out.Parameters {
		got = append(got, fmt.Sprintf("%s%s=%s", *p.Name, aws.ToString(p.Selector), *p.Value))
	}
	if diff := cmp.Diff([]string{"/a/b:1=1", "c=3"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/none", "c:9"}, out.InvalidParameters); diff != "" {
		t.Error(diff)
	}
	deleted, err := client.DeleteParameters(t.Context(), &ssm.DeleteParametersInput{Names: []string{"c", "/a/b:1", "/none"}})
	check(t, err)
	if diff := cmp.Diff([][]string{{"c"}, {"/a/b:1", "/none"}}, [][]string{deleted.DeletedParameters, deleted.InvalidParameters}); diff != "" {
		t.Error(diff)
	}
	const prefix = " arn:aws:ssm:eu-central-1:123456789012:parameter/"
	want := []string{"ssm:GetParameters" + prefix + "a/b", "ssm:GetParameters" + prefix + "none", "ssm:GetParameters" + prefix + "c", "ssm:GetParameters" + prefix + "c",
		"ssm:DeleteParameters" + prefix + "c", "ssm:DeleteParameters" + prefix + "a/b", "ssm:DeleteParameters" + prefix + "none"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("the permissions are others:\n%s", diff)
	}
	for name, names := range map[string][]string{"none": {}, "twice": {"c", "c"}, "too many": make([]string, 11), "not a name": {"a b"}} {
		if _, err := client.GetParameters(t.Context(), &ssm.GetParametersInput{Names: names}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
