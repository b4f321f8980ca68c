package report

import (
	"bytes"
	"context"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/browsertest"
)

var (
	update = flag.Bool("update", false, "take the README's picture again")
	folder = flag.String("screenshots", "", "with -update: an absolute `path` of a folder for screenshots of all pages, on a desktop, a phone, a dark screen and paper")
)

// readmePicture is the README's, of the page that readmeCommand writes.
var readmePicture = filepath.Join("..", "..", "..", "docs", "report.png")

const readmeCommand = "go run ./statemachine/lambda-rollout rehearse --scenario late-errors --report rehearsal.html"

// The picture's size: the top of the page, on a screen of this width.
const pictureWidth, pictureHeight = 1120, 1000

func TestScreenshot(t *testing.T) {
	if *update {
		takePictures(t)
	}
	data, err := os.ReadFile(readmePicture)
	if err != nil {
		t.Fatalf("the README's picture is not there: go test ./statemachine/rehearsal/report -run Screenshot -update takes it (%v)", err)
	}
	shown, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil || shown.Width != pictureWidth || shown.Height != pictureHeight || len(data) > 300<<10 {
		t.Errorf("the README's picture has %d × %d pixels and %d bytes: %v", shown.Width, shown.Height, len(data), err)
	}
}

// takePictures takes the README's picture and, if there is a folder for them, those of all
// pages.
func takePictures(t *testing.T) {
	ctx, _ := browsertest.Start(t)
	rollout := rehearse(t, "late-errors", example)
	rollout.Command = readmeCommand
	one := written(t, rollout)
	top := page.Viewport{Width: pictureWidth, Height: pictureHeight, Scale: 1}
	tab := browsertest.Open(t, ctx, one)
	tab.On(pictureWidth, "light")
	take(t, tab, readmePicture, page.CaptureScreenshot().WithCaptureBeyondViewport(true).WithClip(&top))
	if *folder == "" {
		return
	}
	var release bytes.Buffer
	if err := WriteRehearsedRelease(&release, rehearsedRelease(t)); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"rollout": one, "many": writtenMany(t, mixed()), "release": release.Bytes()} {
		tab := browsertest.Open(t, ctx, content)
		for medium, screen := range map[string]struct {
			width int64
			kind  string
		}{"desktop": {pictureWidth, "light"}, "phone": {375, "light"}, "dark": {pictureWidth, "dark"}, "print": {700, "print"}} {
			tab.On(screen.width, screen.kind)
			height := browsertest.Ask[float64](tab, "document.documentElement.scrollHeight")
			all := page.Viewport{Width: float64(screen.width), Height: height, Scale: 1}
			take(t, tab, filepath.Join(*folder, name+"-"+medium+".png"), page.CaptureScreenshot().WithCaptureBeyondViewport(true).WithClip(&all))
		}
		tab.Do(chromedp.ActionFunc(func(ctx context.Context) error {
			pdf, _, err := page.PrintToPDF().Do(ctx)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(*folder, name+".pdf"), pdf, 0o644)
		}))
	}
}

// take writes a screenshot to a file.
func take(t *testing.T, tab *browsertest.Tab, path string, shot *page.CaptureScreenshotParams) {
	t.Helper()
	var data []byte
	tab.Do(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		data, err = shot.Do(ctx)
		return err
	}))
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
