package localaws

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

const someRole = "arn:aws:iam::123456789012:role/some/role"

func newFunction(name string) *lambda.CreateFunctionInput {
	return &lambda.CreateFunctionInput{
		FunctionName: &name, Role: aws.String(someRole), Runtime: types.RuntimeNodejs22x, Handler: aws.String("index.handler"),
		Code: &types.FunctionCode{ZipFile: archive("1")}, Tags: map[string]string{"team": "shop"},
	}
}

// TestUpdateThenPublish holds a function to the states that AWS's waiters wait for.
func TestUpdateThenPublish(t *testing.T) {
	s := New(Options{FunctionUpdates: 30 * time.Millisecond})
	socket := httptest.NewServer(s)
	defer socket.Close()
	client := lambda.NewFromConfig(s.ConfigAt(socket.URL))
	name := aws.String("slow")
	publish := func() error {
		_, err := client.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: name})
		return err
	}
	conflicts := func(err error, with string) {
		t.Helper()
		if code, status := outcome(err); code != "ResourceConflictException" || status != 409 || !strings.Contains(err.Error(), "The operation cannot be performed at this time. "+with) {
			t.Errorf("%v, want a conflict with %q", err, with)
		}
	}

	created, err := client.CreateFunction(t.Context(), newFunction("slow"))
	check(t, err)
	if created.State != types.StatePending || created.StateReasonCode != types.StateReasonCodeCreating || created.LastUpdateStatus != "" {
		t.Errorf("created: %s (%s), last update %q", created.State, created.StateReasonCode, created.LastUpdateStatus)
	}
	conflicts(publish(), "The function is currently in the following state: Pending")
	_, err = client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: name})
	conflicts(err, "The function is currently in the following state: Pending")
	check(t, lambda.NewFunctionActiveV2Waiter(client, func(o *lambda.FunctionActiveV2WaiterOptions) {
		o.MinDelay, o.MaxDelay = 5*time.Millisecond, 5*time.Millisecond
	}).Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: name}, time.Second))

	updated, err := client.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: name, ZipFile: archive("2")})
	check(t, err)
	if updated.State != types.StateActive || updated.LastUpdateStatus != types.LastUpdateStatusInProgress || aws.ToString(updated.LastUpdateStatusReason) == "" {
		t.Errorf("updated: %s, last update %s: %v", updated.State, updated.LastUpdateStatus, updated.LastUpdateStatusReason)
	}
	const busy = "An update is in progress for resource: arn:aws:lambda:eu-central-1:123456789012:function:slow"
	conflicts(publish(), busy)
	_, err = client.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: name, Timeout: aws.Int32(9)})
	conflicts(err, busy)
	if _, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: name}); err != nil {
		t.Errorf("a function is invoked during its update: %v", err)
	}
	check(t, lambda.NewFunctionUpdatedV2Waiter(client, func(o *lambda.FunctionUpdatedV2WaiterOptions) {
		o.MinDelay, o.MaxDelay = 5*time.Millisecond, 5*time.Millisecond
	}).Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: name}, time.Second))
	after, err := client.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: name})
	check(t, err)
	if after.LastUpdateStatusReason != nil || *after.RevisionId == *updated.RevisionId {
		t.Errorf("after the update: %v, revision %s", after.LastUpdateStatusReason, *after.RevisionId)
	}
	check(t, publish())
}

// TestAFunctionsCodeIsReadBack, with its digest, through the address that GetFunction answers.
func TestAFunctionsCodeIsReadBack(t *testing.T) {
	s := New(Options{})
	socket := httptest.NewServer(s)
	defer socket.Close()
	client := lambda.NewFromConfig(s.ConfigAt(socket.URL))
	in := newFunction("shop")
	in.Publish = true
	_, err := client.CreateFunction(t.Context(), in)
	check(t, err)
	_, err = client.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("shop"), ZipFile: archive("2"), DryRun: true})
	check(t, err)
	for _, content := range []string{"1", "3"} {
		if content == "3" {
			_, err = client.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("shop"), ZipFile: archive("3")})
			check(t, err)
		}
		out, err := client.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("shop")})
		check(t, err)
		response, err := http.Get(aws.ToString(out.Code.Location))
		check(t, err)
		got, err := io.ReadAll(response.Body)
		check(t, err)
		response.Body.Close()
		if want := archive(content); !bytes.Equal(got, want) || *out.Configuration.CodeSha256 != digestOf(want) || out.Configuration.CodeSize != int64(len(want)) {
			t.Errorf("%d bytes with %s, want %d with %s", len(got), *out.Configuration.CodeSha256, len(want), digestOf(want))
		}
		if diff := cmp.Diff(map[string]string{"team": "shop"}, out.Tags); diff != "" {
			t.Error(diff)
		}
	}
	version, err := client.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("shop"), Qualifier: aws.String("1")})
	check(t, err)
	if !strings.HasSuffix(*version.Configuration.FunctionArn, ":shop:1") || *version.Configuration.CodeSha256 != digestOf(archive("1")) {
		t.Errorf("version 1 is %s with %s", *version.Configuration.FunctionArn, *version.Configuration.CodeSha256)
	}
}

func TestFunctionsAreListed(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		_, err := w.lambda.CreateFunction(t.Context(), newFunction("a"))
		check(t, err)
		list := func(size int32, kind types.FunctionVersion) (names []string) {
			pages := lambda.NewListFunctionsPaginator(w.lambda, &lambda.ListFunctionsInput{MaxItems: &size, FunctionVersion: kind})
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				check(t, err)
				if len(page.Functions) > int(size) {
					t.Errorf("%d functions on a page of %d", len(page.Functions), size)
				}
				for _, f := range page.Functions {
					names = append(names, strings.TrimPrefix(*f.FunctionArn, "arn:aws:lambda:eu-central-1:123456789012:function:"))
					if f.State != "" || f.LastUpdateStatus != "" {
						t.Errorf("%s is listed with its state", *f.FunctionArn)
					}
				}
			}
			return names
		}
		for _, size := range []int32{1, 2, 50} {
			if diff := cmp.Diff([]string{"a", "f"}, list(size, "")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"a:$LATEST", "f:$LATEST", "f:1", "f:2", "f:3"}, list(size, types.FunctionVersionAll)); diff != "" {
				t.Error(diff)
			}
			var versions []string
			for pages := lambda.NewListVersionsByFunctionPaginator(w.lambda, &lambda.ListVersionsByFunctionInput{FunctionName: aws.String("f"), MaxItems: &size}); pages.HasMorePages(); {
				page, err := pages.NextPage(t.Context())
				check(t, err)
				for _, v := range page.Versions {
					versions = append(versions, *v.Version)
				}
			}
			if !slices.Equal(versions, []string{"$LATEST", "1", "2", "3"}) {
				t.Errorf("versions %v", versions)
			}
		}
		for name, in := range map[string]*lambda.ListFunctionsInput{
			"no items": {MaxItems: aws.Int32(0)}, "a made-up marker": {Marker: aws.String("x")}, "another kind": {FunctionVersion: "SOME"},
		} {
			if _, err := w.lambda.ListFunctions(t.Context(), in); err == nil {
				t.Errorf("%s is accepted", name)
			}
		}
	})
}

func TestFunctionsAreRefused(t *testing.T) {
	large := DeploymentPackage("a", "b")
	for at := range large { // the sizes in both headers
		if bytes.HasPrefix(large[at:], []byte("PK\x01\x02")) {
			copy(large[at+24:], []byte{0xff, 0xff, 0xff, 0x7f})
		}
	}
	varied := "" // so much that it stays large in an archive
	for i := range 20 {
		varied += digestOf([]byte{byte(i)})
	}
	for name, test := range map[string]struct {
		change func(*lambda.CreateFunctionInput)
		code   string
		text   string
	}{
		"nothing wrong":     {func(*lambda.CreateFunctionInput) {}, "", ""},
		"the runtime's ARN": {func(in *lambda.CreateFunctionInput) { in.Runtime = "arn:aws:lambda:eu-central-1::runtime:0a1b" }, "", ""},
		"an image": {func(in *lambda.CreateFunctionInput) {
			in.PackageType, in.Runtime, in.Handler, in.Code = "Image", "", nil, &types.FunctionCode{ImageUri: aws.String("x")}
		}, "", ""},
		"a qualified name":    {func(in *lambda.CreateFunctionInput) { in.FunctionName = aws.String("a:1") }, "InvalidParameterValueException", "qualified"},
		"another role":        {func(in *lambda.CreateFunctionInput) { in.Role = aws.String("admin") }, "ValidationException", "'admin' at 'role'"},
		"another user's role": {func(in *lambda.CreateFunctionInput) { in.Role = aws.String("arn:aws:iam::12:role/x") }, "ValidationException", "at 'role'"},
		"an old runtime":      {func(in *lambda.CreateFunctionInput) { in.Runtime = types.RuntimeNodejs810 }, "InvalidParameterValueException", "nodejs8.10 at 'runtime'"},
		"no runtime":          {func(in *lambda.CreateFunctionInput) { in.Runtime = "" }, "InvalidParameterValueException", "Runtime and Handler are mandatory"},
		"no handler":          {func(in *lambda.CreateFunctionInput) { in.Handler = nil }, "InvalidParameterValueException", "Runtime and Handler are mandatory"},
		"no zip":              {func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = []byte("hello") }, "InvalidParameterValueException", "Could not unzip"},
		"an empty zip": {func(in *lambda.CreateFunctionInput) {
			in.Code.ZipFile = []byte("PK\x05\x06" + strings.Repeat("\x00", 18))
		}, "InvalidParameterValueException", "non-empty zip"},
		"a bomb":             {func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = large }, "InvalidParameterValueException", "Unzipped size must be smaller than 262144000 bytes"},
		"too much":           {func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = archive(varied) }, "CodeStorageExceededException", "limit exceeded"},
		"no code":            {func(in *lambda.CreateFunctionInput) { in.Code = &types.FunctionCode{} }, "InvalidParameterValueException", "source for function code"},
		"two codes":          {func(in *lambda.CreateFunctionInput) { in.Code.S3Bucket = aws.String("b") }, "InvalidParameterValueException", "ZipFile"},
		"little memory":      {func(in *lambda.CreateFunctionInput) { in.MemorySize = aws.Int32(127) }, "ValidationException", "'127' at 'memorySize'"},
		"much time":          {func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(901) }, "ValidationException", "'901' at 'timeout'"},
		"a long description": {func(in *lambda.CreateFunctionInput) { in.Description = aws.String(strings.Repeat("ü", 257)) }, "ValidationException", "at 'description'"},
		"a reserved tag":     {func(in *lambda.CreateFunctionInput) { in.Tags = map[string]string{"aws:x": ""} }, "InvalidParameterValueException", "reserved"},
		"a layer":            {func(in *lambda.CreateFunctionInput) { in.Layers = []string{"x"} }, "InvalidParameterValueException", "does not support Layers"},
		"a network":          {func(in *lambda.CreateFunctionInput) { in.VpcConfig = &types.VpcConfig{SubnetIds: []string{"s"}} }, "InvalidParameterValueException", "does not support VpcConfig"},
		"one that is there":  {func(in *lambda.CreateFunctionInput) { in.FunctionName = aws.String("f") }, "ResourceConflictException", "already exist"},
	} {
		w := newWorld(t, Options{})
		w.Server.lambda.storage = w.Server.lambda.stored() + 200
		in := newFunction("new")
		test.change(in)
		_, err := w.lambda.CreateFunction(t.Context(), in)
		if code, _ := outcome(err); code != test.code || err != nil && !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v, want %s with %q", name, err, test.code, test.text)
		}
	}
}

func TestUpdatesAreRefused(t *testing.T) {
	w := newWorld(t, Options{})
	image := newFunction("image")
	image.PackageType, image.Runtime, image.Handler, image.Code = "Image", "", nil, &types.FunctionCode{ImageUri: aws.String("x")}
	_, err := w.lambda.CreateFunction(t.Context(), image)
	check(t, err)
	for want, in := range map[string]*lambda.UpdateFunctionCodeInput{
		"provide ImageUri":       {FunctionName: aws.String("image"), ZipFile: archive("1")},
		"don't provide ImageUri": {FunctionName: aws.String("f"), ImageUri: aws.String("x")},
		"source for":             {FunctionName: aws.String("f")},
		"Could not unzip":        {FunctionName: aws.String("f"), ZipFile: []byte("x")},
	} {
		_, err := w.lambda.UpdateFunctionCode(t.Context(), in)
		if code, _ := outcome(err); code != "InvalidParameterValueException" || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	_, err = w.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Layers: []string{"x"}})
	if code, _ := outcome(err); code != "InvalidParameterValueException" {
		t.Errorf("layers: %v", err)
	}
}

// TestTheLastVersionIsDeleted, and its number is not given again.
func TestTheLastVersionIsDeleted(t *testing.T) {
	w := newWorld(t, Options{})
	_, err := w.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("f"), Qualifier: aws.String("3")})
	check(t, err)
	out, err := w.lambda.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("f")})
	check(t, err)
	if *out.Version != "4" {
		t.Errorf("version %s", *out.Version)
	}
}

func TestFunctionsHaveTags(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		arn := aws.String("arn:aws:lambda:eu-central-1:123456789012:function:f")
		tag := func(tags map[string]string) error {
			_, err := w.lambda.TagResource(t.Context(), &lambda.TagResourceInput{Resource: arn, Tags: tags})
			return err
		}
		check(t, tag(map[string]string{"a b/c": "ü&=", "x": "1"}))
		check(t, tag(map[string]string{"x": "2", "y": ""}))
		_, err := w.lambda.UntagResource(t.Context(), &lambda.UntagResourceInput{Resource: arn, TagKeys: []string{"y", "never"}})
		check(t, err)
		out, err := w.lambda.ListTags(t.Context(), &lambda.ListTagsInput{Resource: arn})
		check(t, err)
		if diff := cmp.Diff(map[string]string{"a b/c": "ü&=", "x": "2"}, out.Tags); diff != "" {
			t.Error(diff)
		}
		if keys := w.tags.of(*arn + ":live"); !slices.Equal(keys["aws:ResourceTag/x"], []string{"2"}) {
			t.Errorf("policies see %v", keys)
		}
		many := map[string]string{}
		for i := range 49 {
			many[fmt.Sprint(i)] = ""
		}
		for name, tags := range map[string]map[string]string{"too many": many, "a reserved one": {"AWS:x": ""}, "a long one": {strings.Repeat("x", 129): ""}} {
			if tag(tags) == nil {
				t.Errorf("%s: accepted", name)
			}
		}
		for _, arn := range []string{*arn + ":live", *arn + "s", "f"} {
			if _, err := w.lambda.ListTags(t.Context(), &lambda.ListTagsInput{Resource: &arn}); err == nil {
				t.Errorf("%s has tags", arn)
			}
		}
		_, err = w.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("f")})
		check(t, err)
		if len(w.tags.plain(*arn)) > 0 {
			t.Error("the tags outlive the function")
		}
		w.createFunction(t, "f", 0)
		if out, err = w.lambda.ListTags(t.Context(), &lambda.ListTagsInput{Resource: arn}); err != nil || len(out.Tags) > 0 {
			t.Errorf("a new function of that name has %v (%v)", out.Tags, err)
		}
	})
}
