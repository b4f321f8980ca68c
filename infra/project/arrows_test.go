// Package project holds the tests that look at the whole tree: which package
// may import which, what may lie where, whether every file is in order, and
// whether the documentation agrees with the code.
package project

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/lambda-rollout/lambda-rollout"

// root is the module's folder, relative to the folder in which the tests run.
var root = filepath.Join("..", "..")

// goPackage is what `go list -json` reports of a package. Packages of the module
// are named from its root.
type goPackage struct {
	ImportPath string
	Name       string   // main for commands
	Imports    []string // by files that are not tests
	Deps       []string // Imports, and their imports, and so on
}

// within reports whether pkg is the package in folder or in a folder below it.
func within(pkg, folder string) bool {
	return pkg == folder || strings.HasPrefix(pkg, folder+"/")
}

// ours reports whether pkg is a package of this module.
func ours(pkg string) bool {
	return within(pkg, "lambdas") || within(pkg, "statemachine") || within(pkg, "infra")
}

// forbidden returns why the package from must not depend on the package to, not
// even indirectly, or "" if it may.
func forbidden(from, to string) string {
	pure := slices.Contains([]string{"lambdas/rollout", "lambdas/sequential", "lambdas/arn", "lambdas/lazyregexp", "lambdas/jsonappend", "lambdas/stack", "lambdas/release"}, from)
	switch {
	case to == "lambdas/lazyregexp", to == "lambdas/jsonappend": // they only add to packages of Go
		return ""
	case from == "lambdas/rollout" && to == "lambdas/arn":
		return ""
	case (from == "lambdas/stack" || from == "lambdas/release") && (to == "lambdas/arn" || to == "lambdas/rollout"):
		return ""
	case ours(to) && (pure || from == "statemachine/asl" || from == "statemachine/iam" || from == "statemachine/chart"):
		return "it imports no other package of this module"
	case pure && within(to, "github.com/aws"):
		return "it does not depend on AWS"
	case within(from, "lambdas") && (within(to, "statemachine") || within(to, "infra")):
		return "the functions do not depend on what calls or deploys them"
	case from == "lambdas/health" && to == "lambdas/health/gates":
		return "health does not depend on the gates"
	case from == "lambdas/health" && within(to, "github.com/aws/aws-sdk-go-v2/service"):
		return "tasks that ask CloudWatch nothing would link its client"
	case from == "lambdas/stack/provider" && to == "lambdas/stack/clients":
		return "the provider does not depend on its clients"
	case from == "lambdas/notify" && ours(to) && to != "lambdas/rollout" && to != "lambdas/release" && to != "lambdas/arn":
		return "of this module, notify depends only on rollout, release and arn"
	case from == "lambdas/task" && to == "lambdas/releasing":
		return "the tasks of rollouts do not depend on those of releases"
	case within(from, "infra") && ours(to) && to != "statemachine" && !within(to, "infra"):
		return "of the rest of the module, infra depends only on statemachine"
	case within(to, "statemachine/rehearsal") && !within(from, "statemachine/rehearsal") &&
		from != "statemachine/console" && // it draws charts as the reports do
		from != "statemachine/rollouts" && from != "statemachine/lambda-rollout" && !within(from, "statemachine/internal"):
		return "only commands, rollouts, console and tests import rehearsal and the packages in it"
	case from == "statemachine/rehearsal" && within(to, "statemachine/rehearsal/report"):
		return "a rehearsal does not depend on its report"
	case from == "statemachine/rehearsal" && within(to, "statemachine/rehearsal/study"):
		return "a rehearsal does not depend on studies of many"
	case from == "statemachine/rehearsal/study" && within(to, "statemachine/rehearsal/report"):
		return "a study does not depend on its report"
	case within(to, "statemachine/internal") && !within(from, "statemachine/internal") && to != "statemachine/internal/terminal":
		return "statemachine/internal is for tests"
	case within(to, "gonum.org/v1") && within(from, "lambdas"):
		return "the functions do not calculate with gonum"
	}
	return ""
}

// wiring are the packages of which the functions' commands are composed, beside
// the adapters that they pass to wire.
var wiring = []string{
	"lambdas/wire", "lambdas/wire/clients", "lambdas/rollout", "lambdas/alias", "lambdas/health/monitoring",
	"lambdas/notify/channels", "lambdas/task/executions", "lambdas/task/orders", "lambdas/stack/clients",
}

// forbiddenImport returns why no file of pkg that is not a test may import the
// package to, or "" if one may.
func forbiddenImport(pkg goPackage, to string) string {
	from, main := pkg.ImportPath, pkg.Name == "main"
	switch {
	case main && within(from, "lambdas") && ours(to) && !slices.Contains(wiring, to):
		return "the functions' commands build their tasks with wire"
	case within(to, "lambdas/wire") && !main && !within(from, "lambdas/wire") && from != "statemachine/rehearsal":
		return "only commands, tests and the rehearsal import wire"
	case from == "statemachine/benchmark" && ours(to) && !slices.Contains([]string{"lambdas/health", "lambdas/rollout", "lambdas/sequential"}, to):
		return "of this module, the benchmark imports only health, rollout and sequential"
	}
	return ""
}

// violations returns the dependencies and imports that are forbidden.
func violations(packages []goPackage) []string {
	var found []string
	for _, pkg := range packages {
		for _, to := range pkg.Deps {
			if why := forbidden(pkg.ImportPath, to); why != "" && pkg.ImportPath != to {
				found = append(found, pkg.ImportPath+" depends on "+to+": "+why)
			}
		}
		for _, to := range pkg.Imports {
			if why := forbiddenImport(pkg, to); why != "" {
				found = append(found, pkg.ImportPath+" imports "+to+": "+why)
			}
		}
	}
	slices.Sort(found)
	return found
}

// packages returns the module's packages, as `go list ./...` finds them.
func packages(t *testing.T) []goPackage {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Name,Imports,Deps", "./...")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []goPackage
	decoder := json.NewDecoder(strings.NewReader(strings.ReplaceAll(string(out), module+"/", "")))
	for {
		var pkg goPackage
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, pkg)
	}
}

func TestImportsPointOneWay(t *testing.T) {
	sources(t)
	all := packages(t)
	known := append([]string{
		"lambdas/arn", "lambdas/sequential", "lambdas/notify", "lambdas/health/gates", "lambdas/stack", "lambdas/stack/provider", "lambdas/release", "lambdas/releasing", "lambdas/task", "statemachine", "statemachine/asl", "statemachine/iam", "statemachine/chart",
		"statemachine/benchmark", "statemachine/rehearsal", "statemachine/rehearsal/report",
		"statemachine/rehearsal/study", "statemachine/rollouts", "statemachine/lambda-rollout", "statemachine/internal/terminal",
		"statemachine/internal/runtimeapi", "infra", "infra/lambdarollout",
	}, wiring...)
	for _, name := range known {
		if !slices.ContainsFunc(all, func(pkg goPackage) bool { return pkg.ImportPath == name }) {
			t.Errorf("the rules name the package %s, which does not exist: if it was renamed, rename it here", name)
		}
	}
	for _, violation := range violations(all) {
		t.Error(violation)
	}
}

func TestForbiddenImportsAreSeen(t *testing.T) {
	depends := func(name string, on ...string) goPackage { return goPackage{ImportPath: name, Deps: on} }
	imports := func(name, kind string, imports ...string) goPackage {
		return goPackage{ImportPath: name, Name: kind, Imports: imports}
	}
	good := []goPackage{
		depends("lambdas/rollout", "time", "strings", "lambdas/arn", "lambdas/lazyregexp", "lambdas/jsonappend"),
		depends("lambdas/stack", "lambdas/rollout", "lambdas/arn", "crypto/sha256"),
		depends("lambdas/stack/provider", "lambdas/stack", "lambdas/task", "lambdas/alias"),
		depends("lambdas/release", "lambdas/rollout", "lambdas/arn", "crypto/sha256"),
		depends("lambdas/releasing", "lambdas/release", "lambdas/task", "lambdas/alias", "lambdas/notify"),
		depends("lambdas/notify", "lambdas/release"),
		depends("lambdas/task", "lambdas/rollout", "lambdas/alias", "lambdas/health/gates", "github.com/aws/smithy-go"),
		depends("lambdas/health/gates", "lambdas/awserror", "lambdas/rollout"),
		depends("lambdas/notify", "lambdas/rollout", "lambdas/arn", "encoding/json"),
		depends("statemachine/localaws", "lambdas/rollout", "github.com/aws/smithy-go"),
		depends("statemachine/internal/localstepfunctions", "statemachine/internal/nodetool"),
		depends("statemachine/lambda-rollout", "statemachine/rehearsal", "statemachine/rehearsal/study", "statemachine/internal/terminal", "statemachine/rollouts", "statemachine/rehearsal/report", "lambdas/task"),
		depends("statemachine/rehearsal/report", "statemachine/rehearsal", "statemachine/rehearsal/study", "statemachine/chart", "html/template", "gonum.org/v1/gonum/mathext"),
		depends("statemachine/rehearsal/study", "statemachine/rehearsal"),
		depends("infra", "statemachine", "infra/lambdarollout"),
		depends("statemachine/rehearsaler"),
		imports("lambdas/healthcheck", "main", "lambdas/wire", "lambdas/wire/clients", "os"),
		imports("lambdas/stackrollout", "main", "lambdas/wire", "lambdas/stack/clients", "time"),
		imports("lambdas/wire/clients", "clients", "lambdas/wire", "lambdas/health/gates"),
		imports("statemachine/rehearsal", "rehearsal", "lambdas/wire"),
		imports("statemachine/lambda-rollout", "main", "lambdas/wire", "lambdas/telemetry"),
		imports("statemachine/benchmark", "main", "lambdas/health", "lambdas/rollout", "lambdas/sequential", "math"),
	}
	if found := violations(good); found != nil {
		t.Errorf("a good graph: %q", found)
	}
	bad := []goPackage{
		depends("lambdas/rollout", "lambdas/alias", "github.com/aws/smithy-go"),
		depends("lambdas/arn", "lambdas/rollout", "github.com/aws/aws-sdk-go-v2/aws/arn"),
		depends("lambdas/sequential", "lambdas/rollout", "lambdas/arn"),
		depends("lambdas/stack", "lambdas/alias", "github.com/aws/smithy-go"),
		depends("lambdas/release", "lambdas/task", "github.com/aws/smithy-go"),
		depends("lambdas/task", "lambdas/releasing"),
		depends("lambdas/stack/provider", "lambdas/stack/clients"),
		depends("lambdas/task", "statemachine", "infra/lambdarollout"),
		depends("lambdas/health", "gonum.org/v1/gonum/mathext", "lambdas/health/gates", "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"),
		depends("lambdas/notify", "lambdas/awserror"),
		depends("statemachine/asl", "statemachine"),
		depends("statemachine/chart", "statemachine/rehearsal"),
		depends("statemachine/iam", "statemachine/localaws"),
		depends("statemachine/localaws", "statemachine/rehearsal/report", "statemachine/internal/runtimeapi"),
		depends("statemachine/rehearsal", "statemachine/rehearsal/report", "statemachine/rehearsal/study"),
		depends("statemachine/rehearsal/study", "statemachine/rehearsal/report"),
		depends("infra/lambdarollout", "lambdas/task", "statemachine/asl"),
		imports("lambdas/healthcheck", "main", "lambdas/task", "lambdas/health/gates"),
		imports("lambdas/stackrollout", "main", "lambdas/stack/provider"),
		imports("lambdas/task", "task", "lambdas/wire"),
		imports("statemachine/benchmark", "main", "statemachine/rehearsal", "lambdas/task"),
		imports("statemachine/localaws", "localaws", "lambdas/wire/clients"),
		imports("statemachine/rehearsal/study", "study", "lambdas/wire"),
	}
	want := []string{
		"infra/lambdarollout depends on lambdas/task: of the rest of the module, infra depends only on statemachine",
		"infra/lambdarollout depends on statemachine/asl: of the rest of the module, infra depends only on statemachine",
		"lambdas/arn depends on github.com/aws/aws-sdk-go-v2/aws/arn: it does not depend on AWS",
		"lambdas/arn depends on lambdas/rollout: it imports no other package of this module",
		"lambdas/health depends on github.com/aws/aws-sdk-go-v2/service/cloudwatch/types: tasks that ask CloudWatch nothing would link its client",
		"lambdas/health depends on gonum.org/v1/gonum/mathext: the functions do not calculate with gonum",
		"lambdas/health depends on lambdas/health/gates: health does not depend on the gates",
		"lambdas/healthcheck imports lambdas/health/gates: the functions' commands build their tasks with wire",
		"lambdas/healthcheck imports lambdas/task: the functions' commands build their tasks with wire",
		"lambdas/notify depends on lambdas/awserror: of this module, notify depends only on rollout, release and arn",
		"lambdas/release depends on github.com/aws/smithy-go: it does not depend on AWS",
		"lambdas/release depends on lambdas/task: it imports no other package of this module",
		"lambdas/rollout depends on github.com/aws/smithy-go: it does not depend on AWS",
		"lambdas/rollout depends on lambdas/alias: it imports no other package of this module",
		"lambdas/sequential depends on lambdas/arn: it imports no other package of this module",
		"lambdas/sequential depends on lambdas/rollout: it imports no other package of this module",
		"lambdas/stack depends on github.com/aws/smithy-go: it does not depend on AWS",
		"lambdas/stack depends on lambdas/alias: it imports no other package of this module",
		"lambdas/stack/provider depends on lambdas/stack/clients: the provider does not depend on its clients",
		"lambdas/stackrollout imports lambdas/stack/provider: the functions' commands build their tasks with wire",
		"lambdas/task depends on infra/lambdarollout: the functions do not depend on what calls or deploys them",
		"lambdas/task depends on lambdas/releasing: the tasks of rollouts do not depend on those of releases",
		"lambdas/task depends on statemachine: the functions do not depend on what calls or deploys them",
		"lambdas/task imports lambdas/wire: only commands, tests and the rehearsal import wire",
		"statemachine/asl depends on statemachine: it imports no other package of this module",
		"statemachine/benchmark imports lambdas/task: of this module, the benchmark imports only health, rollout and sequential",
		"statemachine/benchmark imports statemachine/rehearsal: of this module, the benchmark imports only health, rollout and sequential",
		"statemachine/chart depends on statemachine/rehearsal: it imports no other package of this module",
		"statemachine/iam depends on statemachine/localaws: it imports no other package of this module",
		"statemachine/localaws depends on statemachine/internal/runtimeapi: statemachine/internal is for tests",
		"statemachine/localaws depends on statemachine/rehearsal/report: only commands, rollouts, console and tests import rehearsal and the packages in it",
		"statemachine/localaws imports lambdas/wire/clients: only commands, tests and the rehearsal import wire",
		"statemachine/rehearsal depends on statemachine/rehearsal/report: a rehearsal does not depend on its report",
		"statemachine/rehearsal depends on statemachine/rehearsal/study: a rehearsal does not depend on studies of many",
		"statemachine/rehearsal/study depends on statemachine/rehearsal/report: a study does not depend on its report",
		"statemachine/rehearsal/study imports lambdas/wire: only commands, tests and the rehearsal import wire",
	}
	if diff := cmp.Diff(want, violations(bad)); diff != "" {
		t.Errorf("a bad graph (-want +got):\n%s", diff)
	}
}
