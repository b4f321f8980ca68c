package lambdarollout

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/jsii-runtime-go"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

const (
	// executable is the one file of an asset, which provided.al2023 starts.
	executable = "bootstrap"
	module     = "github.com/lambda-rollout/lambda-rollout"
)

// code returns the build's executable as an asset. It is built during the synth,
// without a container.
func code(build *goBuild) awslambda.Code {
	return awslambda.Code_FromAsset(jsii.String(filepath.Join(build.root, build.pkg)), &awss3assets.AssetOptions{
		// The hash of the output: the same executable is the same asset, whatever
		// changed in the sources.
		AssetHashType: awscdk.AssetHashType_OUTPUT,
		Bundling: &awscdk.BundlingOptions{
			// Never used: the build is always local.
			Image: awscdk.DockerImage_FromRegistry(jsii.String("scratch")),
			Local: build,
		},
	})
}

// moduleRoot returns this module's folder: the repository, or a folder in the
// module cache when another module's app uses the construct.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("find the sources of %s: %w", module, withStderr(err))
	}
	return strings.TrimSpace(string(out)), nil
}

// goBuild is CDK's local bundling of one main package of the module.
type goBuild struct {
	root string // the module's folder
	pkg  string // the package's folder, from root
	err  error  // why the last build failed
}

// TryBundle builds the package into outputDir. It always returns true and stores
// an error in err, which newFunction checks: false would make CDK use a container,
// and a panic would leave CDK's process waiting for an answer.
func (b *goBuild) TryBundle(outputDir *string, _ *awscdk.BundlingOptions) *bool {
	binary := filepath.Join(*outputDir, executable)
	arguments := slices.Concat([]string{"build", "-C", b.root}, statemachine.BuildArguments(), []string{"-o", binary, "./" + b.pkg})
	build := exec.Command("go", arguments...)
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "GOARM64=v8.0", "CGO_ENABLED=0", "GOWORK=off")
	if _, err := build.Output(); err != nil {
		// CDK would fail with a message about the empty folder instead.
		b.err = errors.Join(
			fmt.Errorf("build the function in %s: %w", b.pkg, withStderr(err)),
			os.WriteFile(binary, nil, 0o600),
		)
	}
	return jsii.Bool(true)
}

// withStderr adds what the command wrote to its error.
func withStderr(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}
