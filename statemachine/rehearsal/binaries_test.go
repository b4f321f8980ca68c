package rehearsal

import (
	"archive/zip"
	"debug/buildinfo"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// executable is what a function is deployed as, but for the processor: it is
// built for this machine, so that it runs here.
type executable struct {
	path         string
	size, zipped int64
	clients      []string // the SDK's, by service, that are linked into it
	file         *os.File // if it has no name any more: while it is open, it can be run
}

// built are the executables by their packages. On Linux several tests share them.
var built = struct {
	sync.Mutex
	all map[string]executable
}{all: map[string]executable{}}

// newExecutable builds a main package of lambdas/, or returns what another test has built.
// Nothing of it is left when the tests have ended, however they end: on Linux a file that is
// open can be run though it has no name any more.
func newExecutable(t *testing.T, pkg string) executable {
	t.Helper()
	readSources(t)
	built.Lock()
	defer built.Unlock()
	if e, ok := built.all[pkg]; ok {
		return e
	}
	e := executable{path: filepath.Join(t.TempDir(), "bootstrap")}
	build := exec.Command("go", slices.Concat([]string{"build"}, statemachine.BuildArguments(), []string{"-o", e.path, "../../" + pkg})...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	file, err := os.Open(e.path)
	if err != nil {
		t.Fatal(err)
	}
	e.measure(t, file)
	if runtime.GOOS != "linux" {
		_ = file.Close()
		return e
	}
	if err := os.Remove(e.path); err != nil {
		t.Fatal(err)
	}
	e.path = fmt.Sprintf("/proc/self/fd/%d", file.Fd())
	e.file = file
	built.all[pkg] = e
	return e
}

// readSources reads the functions' sources, so that `go test` runs these tests
// again whenever one of them changes.
func readSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("../../lambdas", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".go" {
			_, err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (e *executable) measure(t *testing.T, file *os.File) {
	t.Helper()
	info, err := buildinfo.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range info.Deps {
		if name, ok := strings.CutPrefix(module.Path, "github.com/aws/aws-sdk-go-v2/service/"); ok && !strings.HasPrefix(name, "internal/") {
			e.clients = append(e.clients, name)
		}
	}
	var asset counter
	archive := zip.NewWriter(&asset)
	entry, err := archive.Create("bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	if e.size, err = io.Copy(entry, file); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	e.zipped = int64(asset)
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(data []byte) (int, error) {
	*c += counter(len(data))
	return len(data), nil
}

// mostZipped is how large a function's asset may be, in bytes: Lambda fetches
// it before the first invocation. One for arm64 is smaller by a tenth.
const mostZipped = 5_000_000

// check returns what is wrong with an executable, that is to link these clients
// and no others.
func (e executable) check(clients ...string) []string {
	var wrong []string
	if e.zipped > mostZipped {
		wrong = append(wrong, fmt.Sprintf("has %d bytes zipped, more than %d", e.zipped, mostZipped))
	}
	want := slices.Sorted(slices.Values(clients))
	if diff := cmp.Diff(want, e.clients); diff != "" {
		wrong = append(wrong, "links other clients than it needs (-want +got): "+diff)
	}
	return wrong
}

func TestExecutablesThatAreTooMuchAreSeen(t *testing.T) {
	good := executable{zipped: mostZipped, clients: []string{"lambda"}}
	if wrong := good.check("lambda"); wrong != nil {
		t.Errorf("a good one: %q", wrong)
	}
	for name, bad := range map[string]executable{
		"has 5000001": {zipped: mostZipped + 1, clients: good.clients},
		`+ 	"sns"`:    {clients: []string{"lambda", "sns"}},
		`- 	"lambda"`: {clients: []string{"sns"}},
	} {
		wrong := bad.check("lambda")
		if len(wrong) != 1 || !strings.Contains(strings.ReplaceAll(wrong[0], "\u00a0", " "), name) {
			t.Errorf("%s: %q", name, wrong)
		}
	}
}
