// Command infra is the CDK app that deploys lambda-rollout. The CDK CLI runs it
// through cdk.json; without the CLI, `go run ./infra` writes the same templates
// and assets to the folder that CDK_OUTDIR names, cdk.out by default.
package main

import (
	"cmp"
	"fmt"
	"os"
	"runtime"

	"github.com/aws/jsii-runtime-go"
)

func main() {
	err := synth()
	if err != nil {
		fmt.Fprintln(os.Stderr, "infra:", err)
	}
	jsii.Close()
	if err != nil {
		os.Exit(1)
	}
}

// synth writes the app to its folder. CDK reports errors by panicking: synth returns
// them, but lets the runtime errors of this program pass.
func synth() (err error) {
	defer func() {
		switch problem := recover().(type) {
		case nil:
		case runtime.Error:
			panic(problem)
		default:
			err = fmt.Errorf("%v", problem)
		}
	}()
	if err := findNode(); err != nil {
		return err
	}
	return write(cmp.Or(os.Getenv("CDK_OUTDIR"), "cdk.out"), nil)
}

// write synthesizes the app with the context into outdir. For a standalone template
// it also writes the zip files of the functions' code.
func write(outdir string, context map[string]any) error {
	app, err := newApp(outdir, context)
	if err != nil {
		return err
	}
	app.Synth(nil)
	if standalone, _ := flag(app.Node().TryGetContext(jsii.String(standaloneContext))); standalone {
		return writeCode(outdir)
	}
	return nil
}
