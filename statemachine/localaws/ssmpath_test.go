package localaws

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// below returns the names of the parameters that a client reads below a path, without it; a bar ends each page.
func below(t *testing.T, client *ssm.Client, in ssm.GetParametersByPathInput, afterPage func()) (names string) {
	t.Helper()
	for pages := ssm.NewGetParametersByPathPaginator(client, &in); pages.HasMorePages(); afterPage() {
		page, err := pages.NextPage(t.Context())
		check(t, err)
		for _, p := range page.Parameters {
			names += strings.TrimPrefix(*p.Name, *in.Path) + " "
		}
		names += "| "
	}
	return names
}

func TestParametersByPath(t *testing.T) {
	s := New(Options{})
	for _, name := range []string{"/a/b", "/a/b/1", "/a/b/3", "/a/b/2", "/a/b/c/1", "/a/bc/1", "alone"} {
		check(t, s.PutParameter(name, "old", mary))
		check(t, s.PutParameter(name, "value of "+name, mary))
	}
	for transport, cfg := range configurations(t, s) {
		t.Run(transport, func(t *testing.T) {
			client := ssm.NewFromConfig(cfg)
			for _, c := range []struct {
				path string
				deep *bool
				size *int32
				want string
			}{
				{"/a/b", nil, nil, "/1 /2 /3 | "},
				{"/a/b/", nil, nil, "1 2 3 | "},
				{"/a/b", aws.Bool(true), nil, "/1 /2 /3 /c/1 | "},
				{"/a/b", aws.Bool(true), aws.Int32(3), "/1 /2 /3 | /c/1 | "},
				{"/a/b", aws.Bool(true), aws.Int32(2), "/1 /2 | /3 /c/1 | "},
				{"/", nil, nil, "alone | "},
				{"/nothing", aws.Bool(true), nil, "| "},
			} {
				in := ssm.GetParametersByPathInput{Path: &c.path, Recursive: c.deep, MaxResults: c.size}
				if got := below(t, client, in, func() {}); got != c.want {
					t.Errorf("below %s, recursive %v, size %v: %s, want %s", c.path, c.deep != nil, aws.ToInt32(c.size), got, c.want)
				}
			}
			out, err := client.GetParametersByPath(t.Context(), &ssm.GetParametersByPathInput{Path: aws.String("/a/bc")})
			check(t, err)
			if p := out.Parameters[0]; *p.Value != "value of /a/bc/1" || p.Version != 2 || *p.ARN != "arn:aws:ssm:eu-central-1:123456789012:parameter/a/bc/1" {
				t.Errorf("%s, version %d of %s", *p.Value, p.Version, *p.ARN)
			}
		})
	}
}

func TestSecureParametersBelowAPathAreReadWithDecryptionOnly(t *testing.T) {
	s := New(Options{})
	check(t, s.PutSecureParameter("/shop/key", "hunter2", mary))
	for decrypt, want := range map[bool]bool{true: true, false: false} {
		out, err := ssm.NewFromConfig(s.Config()).GetParametersByPath(t.Context(), &ssm.GetParametersByPathInput{Path: aws.String("/shop"), WithDecryption: &decrypt})
		check(t, err)
		if value := *out.Parameters[0].Value; (value == "hunter2") != want {
			t.Errorf("with decryption %v: %q", decrypt, value)
		}
	}
}

// TestDeletedParametersAreGone: between two pages, the parameter at which the next one begins is deleted.
func TestDeletedParametersAreGone(t *testing.T) {
	s := New(Options{})
	client := ssm.NewFromConfig(s.Config())
	for n := range 4 {
		check(t, s.PutParameter(fmt.Sprint("/p/", n), "x", mary))
	}
	remove := func(name string) error {
		_, err := client.DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: &name})
		return err
	}
	pages := 0
	got := below(t, client, ssm.GetParametersByPathInput{Path: aws.String("/p"), MaxResults: aws.Int32(2)}, func() {
		if pages++; pages == 1 {
			check(t, remove("/p/2"))
		}
	})
	if got != "/0 /1 | /3 | " {
		t.Error(got)
	}
	if code, _ := outcome(remove("/p/2")); code != "ParameterNotFound" {
		t.Errorf("deleted twice: %s", code)
	}
	put, err := client.PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("/p/2"), Value: aws.String("y"), Type: types.ParameterTypeString})
	if check(t, err); put.Version != 1 {
		t.Errorf("created again with version %d", put.Version)
	}
	for _, name := range []string{"arn:aws:ssm:eu-central-1:123456789012:parameter/p/1", "/p/1:1"} {
		if code, _ := outcome(remove(name)); code != "ValidationException" {
			t.Errorf("%s: %s", name, code)
		}
	}
}

func TestPathsThatAreRefused(t *testing.T) {
	client := ssm.NewFromConfig(New(Options{}).Config())
	for want, in := range map[string]ssm.GetParametersByPathInput{
		"ValidationException: The parameter doesn't meet":                      {Path: aws.String("a")},
		"ValidationException: The parameter doesn't meet the parameter name":   {Path: aws.String("/a b")},
		"Value '11' at 'maxResults' failed to satisfy constraint: Member must": {Path: aws.String("/a"), MaxResults: aws.Int32(11)},
		"Value '0' at 'maxResults' failed":                                     {Path: aws.String("/a"), MaxResults: aws.Int32(0)},
		"InvalidNextToken: The specified":                                      {Path: aws.String("/a"), NextToken: aws.String("?")},
		"does not support ParameterFilters":                                    {Path: aws.String("/a"), ParameterFilters: []types.ParameterStringFilter{{Key: aws.String("Type")}}},
	} {
		if _, err := client.GetParametersByPath(t.Context(), &in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s, want %s", err, want)
		}
	}
}
