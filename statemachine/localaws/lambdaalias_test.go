package localaws

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestAliasLifecycle(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		first, err := w.lambda.GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
		check(t, err)
		if *first.AliasArn != "arn:aws:lambda:eu-central-1:123456789012:function:f:live" || *first.FunctionVersion != "1" || first.RoutingConfig != nil {
			t.Errorf("a new alias is %s on %s with weights %v", *first.AliasArn, *first.FunctionVersion, first.RoutingConfig)
		}

		steps := []struct {
			name  string
			input lambda.UpdateAliasInput
			want  Alias
		}{
			{"shift", lambda.UpdateAliasInput{RoutingConfig: weights("2", 0.25)},
				Alias{Version: "1", Additional: "2", Weight: 0.25, Description: "customers"}},
			{"leaving the weights out keeps them", lambda.UpdateAliasInput{Description: aws.String("ours")},
				Alias{Version: "1", Additional: "2", Weight: 0.25, Description: "ours"}},
			{"256 characters of description", lambda.UpdateAliasInput{Description: aws.String(strings.Repeat("→", 256))},
				Alias{Version: "1", Additional: "2", Weight: 0.25, Description: strings.Repeat("→", 256)}},
			{"leaving the description out keeps it", lambda.UpdateAliasInput{RoutingConfig: weights("2", 0.5)},
				Alias{Version: "1", Additional: "2", Weight: 0.5, Description: strings.Repeat("→", 256)}},
			{"an empty description is one", lambda.UpdateAliasInput{Description: aws.String("")},
				Alias{Version: "1", Additional: "2", Weight: 0.5}},
			{"weight 1", lambda.UpdateAliasInput{RoutingConfig: weights("2", 1)},
				Alias{Version: "1", Additional: "2", Weight: 1}},
			{"version and weights in one call", lambda.UpdateAliasInput{FunctionVersion: aws.String("2"), RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}}},
				Alias{Version: "2"}},
		}
		revision := *first.RevisionId
		for _, step := range steps {
			in := step.input
			in.FunctionName, in.Name, in.RevisionId = aws.String("arn:aws:lambda:eu-central-1:123456789012:function:f"), aws.String("live"), &revision
			out, err := w.lambda.UpdateAlias(t.Context(), &in)
			check(t, err)
			step.want.Function, step.want.Name, step.want.RevisionID = "f", "live", *out.RevisionId
			if diff := cmp.Diff(step.want, w.alias(t)); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", step.name, diff)
			}
			if *out.RevisionId == revision {
				t.Errorf("%s: the revision stayed %s", step.name, revision)
			}
			stale := in
			_, err = w.lambda.UpdateAlias(t.Context(), &stale)
			if code, status := outcome(err); code != "PreconditionFailedException" || status != 412 {
				t.Errorf("%s: with a stale revision: %d %s", step.name, status, code)
			}
			revision = *out.RevisionId
		}

		list, err := w.lambda.ListAliases(t.Context(), &lambda.ListAliasesInput{FunctionName: aws.String("f")})
		check(t, err)
		if len(list.Aliases) != 1 || *list.Aliases[0].RevisionId != revision {
			t.Errorf("ListAliases: %+v", list.Aliases)
		}
		_, err = w.lambda.DeleteAlias(t.Context(), &lambda.DeleteAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
		check(t, err)
		if _, ok := w.Alias("f", "live"); ok {
			t.Error("the alias is still there after DeleteAlias")
		}
		_, getErr := w.lambda.GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
		_, updateErr := w.shift(t.Context(), "2", 0.5)
		for _, err := range []error{getErr, updateErr} {
			if code, status := outcome(err); code != "ResourceNotFoundException" || status != 404 {
				t.Errorf("of a deleted alias: %v", err)
			}
		}
	})
}

func TestLambdaRefusals(t *testing.T) {
	update := func(change func(*lambda.UpdateAliasInput)) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			in := &lambda.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")}
			change(in)
			_, err := w.lambda.UpdateAlias(t.Context(), in)
			return err
		}
	}
	shift := func(additional string, weight float64) func(*testing.T, *world) error {
		return update(func(in *lambda.UpdateAliasInput) { in.RoutingConfig = weights(additional, weight) })
	}
	get := func(function, qualifier string) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			_, err := w.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &function, Qualifier: &qualifier})
			return err
		}
	}
	cases := []struct {
		name   string
		call   func(*testing.T, *world) error
		code   string
		status int
	}{
		{"unknown function", get("g", "1"), "ResourceNotFoundException", 404},
		{"unknown version", get("f", "4"), "ResourceNotFoundException", 404},
		{"unknown qualifier", get("f", "dead"), "ResourceNotFoundException", 404},
		{"unknown qualifier in the name", get("f:dead", "dead"), "ResourceNotFoundException", 404},
		{"two qualifiers", get("f:1", "2"), "InvalidParameterValueException", 400},
		{"another region", get("arn:aws:lambda:us-east-1:123456789012:function:f", "1"), "ResourceNotFoundException", 404},
		{"another account", get("999999999999:function:f", "1"), "AccessDeniedException", 403},
		{"no function name", get("a b", "1"), "ValidationException", 400},
		{"unknown alias", update(func(in *lambda.UpdateAliasInput) { in.Name = aws.String("dead") }), "ResourceNotFoundException", 404},
		{"alias of a qualified name", update(func(in *lambda.UpdateAliasInput) { in.FunctionName = aws.String("f:1") }), "InvalidParameterValueException", 400},
		{"alias on an unknown version", update(func(in *lambda.UpdateAliasInput) { in.FunctionVersion = aws.String("4") }), "ResourceNotFoundException", 404},
		{"description too long", update(func(in *lambda.UpdateAliasInput) { in.Description = aws.String(strings.Repeat("é", 257)) }), "ValidationException", 400},
		{"weight above 1", shift("2", 1.01), "ValidationException", 400},
		{"weight below 0", shift("2", -0.01), "ValidationException", 400},
		{"$LATEST behind a weight", shift("$LATEST", 0.5), "ValidationException", 400},
		{"an unknown version behind a weight", shift("4", 0.5), "ResourceNotFoundException", 404},
		{"the alias's own version behind a weight", shift("1", 0.5), "InvalidParameterValueException", 400},
		{"two additional versions", update(func(in *lambda.UpdateAliasInput) {
			in.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.1, "3": 0.1}}
		}), "InvalidParameterValueException", 400},
		{"$LATEST before a weight", update(func(in *lambda.UpdateAliasInput) {
			in.FunctionVersion, in.RoutingConfig = aws.String("$LATEST"), weights("2", 0.1)
		}), "InvalidParameterValueException", 400},
		{"another execution role", func(t *testing.T, w *world) error {
			check(t, w.SetConfiguration("f", "2", func(c *types.FunctionConfiguration) { c.Role = aws.String("other") }))
			return shift("2", 0.1)(t, w)
		}, "InvalidParameterValueException", 400},
		{"another dead-letter target", func(t *testing.T, w *world) error {
			check(t, w.SetConfiguration("f", "2", func(c *types.FunctionConfiguration) {
				c.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("queue")}
			}))
			return shift("2", 0.1)(t, w)
		}, "InvalidParameterValueException", 400},
		{"alias exists", func(t *testing.T, w *world) error {
			_, err := w.lambda.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("1")})
			return err
		}, "ResourceConflictException", 409},
		{"alias named like a version", func(t *testing.T, w *world) error {
			_, err := w.lambda.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("12"), FunctionVersion: aws.String("1")})
			return err
		}, "ValidationException", 400},
		{"unknown operation", func(t *testing.T, w *world) error {
			_, err := w.lambda.GetFunctionConcurrency(t.Context(), &lambda.GetFunctionConcurrencyInput{FunctionName: aws.String("f")})
			if err == nil || !strings.Contains(err.Error(), "GET /2019-09-30/functions/f/concurrency") {
				t.Errorf("the error does not name the operation: %v", err)
			}
			return err
		}, "UnknownOperationException", 404},
		{"and what is right goes through", shift("2", 0), "", 200},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			overBothTransports(t, func(t *testing.T, w *world) {
				before := w.alias(t)
				code, status := outcome(c.call(t, w))
				if code != c.code || status != c.status {
					t.Errorf("got %d %s, want %d %s", status, code, c.status, c.code)
				}
				if unchanged := w.alias(t) == before; unchanged != (c.code != "") {
					t.Errorf("the alias went from %+v to %+v", before, w.alias(t))
				}
			})
		})
	}
}

func TestVersions(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		same, err := w.lambda.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("f")})
		check(t, err)
		if *same.Version != "3" {
			t.Errorf("publishing without a change gave version %s, want the same 3 again", *same.Version)
		}
		_, err = w.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Timeout: aws.Int32(7)})
		check(t, err)
		next, err := w.lambda.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("f")})
		check(t, err)
		if *next.Version != "4" || *next.Timeout != 7 {
			t.Errorf("publishing after a change gave version %s with timeout %d", *next.Version, *next.Timeout)
		}
		check(t, w.SetConfiguration("f", "1", func(c *types.FunctionConfiguration) { c.State = types.StateInactive }))
		got, err := w.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("f"), Qualifier: aws.String("live")})
		check(t, err)
		if *got.Version != "1" || got.State != types.StateInactive || got.LastUpdateStatus != types.LastUpdateStatusSuccessful ||
			got.DeadLetterConfig != nil || *got.FunctionArn != "arn:aws:lambda:eu-central-1:123456789012:function:f:live" {
			t.Errorf("the alias's configuration: %s %s %s %v %s", *got.Version, got.State, got.LastUpdateStatus, got.DeadLetterConfig, *got.FunctionArn)
		}
	})
}

// TestAliasModel compares random updates with a short model of the alias.
func TestAliasModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, Options{})
		model, revisions := w.alias(t), []string{}
		for range rapid.IntRange(1, 30).Draw(rt, "updates") {
			revisions = append(revisions, model.RevisionID)
			in := &lambda.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")}
			next, valid := model, true
			if rapid.Bool().Draw(rt, "gives a revision") {
				in.RevisionId = aws.String(rapid.SampledFrom(revisions).Draw(rt, "revision"))
				valid = *in.RevisionId == model.RevisionID
			}
			if rapid.Bool().Draw(rt, "gives a version") {
				next.Version = rapid.SampledFrom([]string{"1", "2", "3", "4", latest}).Draw(rt, "version")
				in.FunctionVersion = &next.Version
			}
			if rapid.Bool().Draw(rt, "gives a description") {
				next.Description = rapid.StringMatching(`[a-z7→8%\[\]]{0,20}`).Draw(rt, "description")
				in.Description = &next.Description
			}
			switch rapid.SampledFrom([]string{"keep", "clear", "set"}).Draw(rt, "weights") {
			case "clear":
				next.Additional, next.Weight = "", 0
				in.RoutingConfig = &types.AliasRoutingConfiguration{}
			case "set":
				next.Additional = rapid.SampledFrom([]string{"1", "2", "3", "4"}).Draw(rt, "additional")
				next.Weight = rapid.Float64Range(-0.2, 1.2).Draw(rt, "weight")
				in.RoutingConfig = weights(next.Additional, next.Weight)
			}
			valid = valid && next.Version != "4" && (next.Additional == "" || next.Additional != "4" && next.Additional != next.Version &&
				next.Version != latest && next.Weight >= 0 && next.Weight <= 1)

			_, err := w.lambda.UpdateAlias(t.Context(), in)
			if (err == nil) != valid {
				rt.Fatalf("update of %+v to %+v: valid is %v, got %v", model, next, valid, err)
			}
			if valid {
				model = next
			}
			got := w.alias(t)
			if (got.RevisionID != model.RevisionID) != valid {
				rt.Fatalf("revision went from %s to %s, valid is %v", model.RevisionID, got.RevisionID, valid)
			}
			if diff := cmp.Diff(model, got, cmpopts.IgnoreFields(Alias{}, "RevisionID")); diff != "" {
				rt.Fatal(fmt.Sprint("(-model +got)\n", diff))
			}
			model = got
		}
	})
}
