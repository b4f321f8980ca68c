package cloudformation_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/cloudformation"
)

// retained has a version stay when it is removed from the template.
func retained(all map[string]cloudformation.Resource) {
	v := all["VersionA"]
	v.DeletionPolicy = "Retain"
	all["VersionA"] = v
}

// TestVersionsAreCleanedUp unless they are retained; one that an alias still uses is abandoned.
func TestVersionsAreCleanedUp(t *testing.T) {
	for name, c := range map[string]struct {
		change []func(map[string]cloudformation.Resource)
		used   bool
		event  string
		left   string
	}{
		"deleted":  {nil, false, "VersionA DELETE_COMPLETE", "2"},
		"retained": {[]func(map[string]cloudformation.Resource){retained}, false, "VersionA DELETE_SKIPPED", "12"},
		"used":     {nil, true, "VersionA DELETE_FAILED: Unable to delete version because the following aliases reference it: [live]", "12"},
	} {
		w := newWorld(t, nil)
		w.run(func() {
			s := w.created(c.change...)
			if c.used {
				if err := w.server.AddAlias("f", "live", "1", ""); err != nil {
					t.Error(err)
				}
			}
			if err := s.Update(template("B")); err != nil {
				t.Error(err)
			}
			s.Wait()
			events := log(s, 0)
			if !strings.Contains(events, c.event) || !strings.HasSuffix(events, "shop UPDATE_COMPLETE\n") || w.versions() != c.left {
				t.Errorf("%s: versions %s\n%s", name, w.versions(), events)
			}
		})
	}
}

// TestAVersionOfTheSameLogicalIDIsReplaced: its new ID is what the rollout is sent, and a rollback keeps the old one.
func TestAVersionOfTheSameLogicalIDIsReplaced(t *testing.T) {
	same := func(code string) cloudformation.Template {
		return cloudformation.Template{Resources: map[string]cloudformation.Resource{
			"Function": {Type: "AWS::Lambda::Function", Properties: map[string]any{"FunctionName": "f", "Code": map[string]any{"ZipFile": code}}},
			"Version":  {Type: "AWS::Lambda::Version", Properties: map[string]any{"FunctionName": map[string]any{"Ref": "Function"}, "Description": code}},
			"Rollout":  {Type: "Custom::LambdaRollout", Properties: map[string]any{"ServiceToken": token, "NewVersion": map[string]any{"Ref": "Version"}}},
		}}
	}
	for failed, left := range map[int]string{0: "2", 2: "1"} {
		w := newWorld(t, nil)
		w.answer = fails(failed)
		w.run(func() {
			s, err := w.Create("shop", same("A"))
			if err != nil {
				t.Error(err)
				return
			}
			s.Wait()
			if err := s.Update(same("B")); err != nil {
				t.Error(err)
			}
			s.Wait()
			if id := s.PhysicalID("Version"); w.versions() != left || !strings.HasSuffix(id, ":f:"+left) {
				t.Errorf("the versions are %s, the resource is %s\n%s", w.versions(), id, log(s, 0))
			}
		})
	}
}

func TestTemplatesThatAreRefused(t *testing.T) {
	one := func(r cloudformation.Resource) cloudformation.Template {
		return cloudformation.Template{Resources: map[string]cloudformation.Resource{"A": r}}
	}
	refer := func(v any) cloudformation.Template {
		return one(cloudformation.Resource{Type: "Local::Resource", Properties: map[string]any{"Of": v}})
	}
	for want, template := range map[string]cloudformation.Template{
		"AWS::S3::Bucket, which is not":         one(cloudformation.Resource{Type: "AWS::S3::Bucket"}),
		"the policy Snapshot":                   one(cloudformation.Resource{Type: "Local::Resource", DeletionPolicy: "Snapshot"}),
		"depends on B, which is not":            refer(map[string]any{"Ref": "B"}),
		"depends on C, which is not":            refer(map[string]any{"Fn::GetAtt": []string{"C", "Arn"}}),
		"depends on the function Fn::Sub":       refer([]any{map[string]any{"Fn::Sub": "${B}"}}),
		"circular dependency between resources": refer(map[string]any{"Ref": "A"}),
		"no JSON":                               refer(func() {}),
	} {
		w := newWorld(t, nil)
		if _, err := w.Create("shop", template); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	w := newWorld(t, nil)
	_, first := w.Create("shop", one(cloudformation.Resource{Type: "Local::Resource"}))
	_, second := w.Create("shop", one(cloudformation.Resource{Type: "Local::Resource"}))
	if errors.Join(first) != nil || second == nil {
		t.Errorf("two stacks of one name: %v, %v", first, second)
	}
}

// TestPropertiesThatFailAResource are found when it is created.
func TestPropertiesThatFailAResource(t *testing.T) {
	for want, change := range map[string]func(map[string]cloudformation.Resource){
		"Rollout CREATE_FAILED: the property ServiceToken is missing":               with("Rollout", "ServiceToken", ""),
		"Rollout CREATE_FAILED: the property ServiceTimeout must be from 1 to 3600": with("Rollout", "ServiceTimeout", 3601),
		"After CREATE_FAILED: resource Rollout has no attribute Other":              with("After", "Of", map[string]any{"Fn::GetAtt": []string{"Rollout", "Other"}}),
		"VersionA CREATE_FAILED: Function not found":                                with("VersionA", "FunctionName", "g"),
		"Function CREATE_FAILED: ":                                                  with("Function", "FunctionName", "a b"),
	} {
		w := newWorld(t, nil)
		w.run(func() {
			s := w.created(change)
			if events := log(s, 0); !strings.Contains(events, want) {
				t.Errorf("no %q in\n%s", want, events)
			}
		})
	}
}
