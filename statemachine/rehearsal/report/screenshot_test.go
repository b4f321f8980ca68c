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

var update = flag.Bool("update", false, "take the README's picture again")

// readmePicture is the README's, of
//
//	go run ./statemachine/lambda-rollout rehearse --scenario late-errors --report rehearsal.html
var readmePicture = filepath.Join("..", "..", "..", "docs", "report.png")

// The picture's size: the top of the page, on a screen of this width.
const pictureWidth, pictureHeight = 1120, 1000

func TestScreenshot(t *testing.T) {
	if *update {
		takePicture(t)
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

func takePicture(t *testing.T) {
	ctx, _ := browsertest.Start(t)
	tab := browsertest.Open(t, ctx, written(t, rehearse(t, "late-errors", example)))
	tab.On(pictureWidth, "light")
	var data []byte
	tab.Do(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		top := &page.Viewport{Width: pictureWidth, Height: pictureHeight, Scale: 1}
		data, err = page.CaptureScreenshot().WithCaptureBeyondViewport(true).WithClip(top).Do(ctx)
		return err
	}))
	if err := os.WriteFile(readmePicture, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
