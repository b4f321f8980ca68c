package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
)

// tty is a command that runs in a pseudo-terminal.
type tty struct {
	t    *testing.T
	ptmx *os.File
	code chan int

	mu   sync.Mutex
	text strings.Builder
}

// inTerminal runs the command in a terminal of a size.
func inTerminal(t *testing.T, a *servedtest.AWS, columns, rows int, args ...string) *tty {
	t.Helper()
	t.Setenv("TERM", "xterm")
	ptmx, tts, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	p := &tty{t: t, ptmx: ptmx, code: make(chan int, 1)}
	p.resize(columns, rows)
	t.Cleanup(func() { ptmx.Close(); tts.Close() })
	go func() {
		buffer := make([]byte, 1<<16)
		for {
			n, err := ptmx.Read(buffer)
			if err != nil {
				return
			}
			p.mu.Lock()
			p.text.Write(buffer[:n])
			p.mu.Unlock()
		}
	}()
	go func() {
		p.code <- (&command{stdin: tts, stdout: tts, stderr: tts, now: a.Now}).run(context.Background(), args)
	}()
	return p
}

func (p *tty) resize(columns, rows int) {
	p.t.Helper()
	if err := pty.Setsize(p.ptmx, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *tty) press(keys string) {
	p.t.Helper()
	if _, err := p.ptmx.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// all returns all that was written.
func (p *tty) all() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// frame waits until the last complete drawing satisfies ok, and returns its rows.
func (p *tty) frame(what string, ok func(rows []string) bool) []string {
	p.t.Helper()
	var rows []string
	for range 200 {
		if end := strings.LastIndex(p.all(), clearAll); end >= 0 {
			text := p.all()[:end]
			text = text[strings.LastIndex(text, home)+len(home):]
			rows = strings.Split(strings.ReplaceAll(text, clearLine, ""), "\r\n")
			if ok(rows) {
				return rows
			}
		}
		time.Sleep(25 * time.Millisecond)
	}
	p.t.Fatalf("there is no %s in\n%s", what, strings.Join(rows, "\n"))
	return nil
}

// exits waits for the end of the command.
func (p *tty) exits(code int) {
	p.t.Helper()
	select {
	case got := <-p.code:
		if got != code {
			p.t.Errorf("it exits with %d, want %d", got, code)
		}
	case <-time.After(10 * time.Second):
		p.t.Fatalf("it does not end after %q", p.all())
	}
	left := func() bool {
		text := p.all()
		return !strings.Contains(text, enter) || strings.LastIndex(text, leave) > strings.LastIndex(text, enter)
	}
	for range 100 { // what is on its way
		time.Sleep(50 * time.Millisecond)
		if left() {
			return
		}
	}
	p.t.Fatal("it does not leave its screen")
}

func contains(word string) func([]string) bool {
	return func(rows []string) bool { return strings.Contains(strings.Join(rows, "\n"), word) }
}

// TestLiveView watches a rollout in a terminal until it ends: the view follows, fits the
// terminal's size when it changes, and scrolls.
func TestLiveView(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	t.Setenv("NO_COLOR", "1")
	a.Begin("it", linear)
	a.Advance(time.Minute)
	p := inTerminal(t, a, 80, 40, "watch", "it", "--interval", "1s")
	p.frame("first step", contains("20% on version 2"))
	p.frame("row with the keys", contains("q leave, r look now"))
	for _, size := range [][2]int{{40, 12}, {200, 50}, {80, 10}} {
		p.resize(size[0], size[1])
		rows := p.frame("drawing in the new size", func(rows []string) bool {
			for _, row := range rows {
				if len([]rune(row)) > size[0] {
					return false
				}
			}
			return len(rows) <= size[1] && (size[1] > 40 || len(rows) == size[1])
		})
		if last := rows[len(rows)-1]; !strings.HasPrefix(last, "q leave") {
			t.Errorf("in %v the last row is %q", size, last)
		}
	}
	p.press("jj\x1b[B")
	p.frame("scrolled view", func(rows []string) bool { return strings.HasPrefix(rows[0], "weight") })
	p.press("kkkkk")
	p.frame("view from the top", func(rows []string) bool { return strings.HasPrefix(rows[0], "outcome") })
	p.resize(80, 40)
	a.Advance(4 * time.Minute)
	p.press("r")
	p.frame("event", contains("shift     step 3 of 5"))
	a.Advance(10 * time.Minute)
	p.press("r")
	p.exits(0)
	if after := p.all()[strings.LastIndex(p.all(), leave):]; !strings.Contains(after, "PROMOTED") || strings.Contains(after, "\x1b[3") {
		t.Errorf("after its screen it prints %q", after)
	}
}

// TestLeavingTheLiveView leaves with q, with Ctrl-C, and while AWS does not answer.
func TestLeavingTheLiveView(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	a.Begin("it", linear)
	a.Advance(time.Minute)
	hang := make(chan struct{})
	defer close(hang)
	for _, key := range []string{"q", "\x03", "hang"} {
		p := inTerminal(t, a, 80, 40, "watch", "it", "--interval", "10m")
		p.frame("first step", contains("20% on version 2"))
		if key == "hang" {
			a.Answer(func(string, http.ResponseWriter, *http.Request) bool { <-hang; return true })
			p.press("r")
			time.Sleep(100 * time.Millisecond)
			key = "q"
		}
		p.press(key)
		p.exits(unknown)
		if !strings.Contains(p.all(), "the rollout goes on") {
			t.Errorf("after %q it does not say that the rollout goes on", key)
		}
	}
}

// TestLiveViewOutlivesALostConnection shows a lost connection, and what happened meanwhile.
func TestLiveViewOutlivesALostConnection(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	a.Begin("it", linear)
	a.Advance(time.Minute)
	p := inTerminal(t, a, 100, 50, "watch", "it", "--interval", "1s")
	p.frame("first step", contains("20% on version 2"))
	a.Answer(func(_ string, w http.ResponseWriter, _ *http.Request) bool {
		servedtest.Refuse(w, 400, "ExpiredTokenException", "The security token included in the request is expired")
		return true
	})
	p.press("r")
	p.frame("word about the credentials", func(rows []string) bool { return strings.Contains(rows[0], "the AWS credentials") })
	a.Answer(nil)
	a.Advance(4 * time.Minute)
	p.press("r")
	p.frame("word that AWS answers", contains("AWS answers again"))
	p.frame("event", contains("shift     step 3 of 5"))
	p.press("q")
	p.exits(unknown)
}

// TestStartIsShownLive starts rollouts in a terminal and follows them in the live view, to the
// end, until they are left, and until Ctrl-C stops them.
func TestStartIsShownLive(t *testing.T) {
	for _, end := range []struct {
		key   string
		flags []string
		code  int
		says  string
		live  bool // the rollout goes on
	}{
		{"r", nil, promoted, "PROMOTED", false},
		{"q", nil, unknown, "the rollout goes on; follow it again with: lambda-rollout watch it", true},
		{"\x03", nil, 130, "interrupted; the rollout was stopped", false},
		{"\x03", []string{"--on-interrupt", "leave"}, 130, "interrupted; the rollout continues: arn:", true},
	} {
		a := servedtest.New(t, `{}`)
		a.Environment(t)
		file := filepath.Join(t.TempDir(), "rollout.json")
		if err := os.WriteFile(file, []byte(linear), 0o600); err != nil {
			t.Fatal(err)
		}
		p := inTerminal(t, a, 100, 40, append([]string{"start", "-f", file, "--name", "it", "--wait"}, end.flags...)...)
		what := map[bool]string{true: "Ctrl-C leave", false: "Ctrl-C stop the rollout"}[len(end.flags) > 0]
		p.frame("row with the keys", contains("q leave, "+what+", r look now"))
		a.Order("/lambda-rollout/it", "promote")
		p.press("r")
		p.frame("new order", contains("the order to promote, given"))
		if end.key == "r" {
			a.Advance(20 * time.Minute)
		}
		p.press(end.key)
		p.exits(end.code)
		if text := p.all(); !strings.Contains(text, "started it: alias MyAlias") || !strings.Contains(text[strings.LastIndex(text, leave):], end.says) {
			t.Errorf("after %q it prints %q", end.key, text[max(0, strings.LastIndex(text, leave)):])
		}
		if _, out, _ := ran(t, a, "get", "it", "-o", "json"); strings.Contains(out, `"status": "RUNNING"`) != end.live {
			t.Errorf("after %q the rollout is %s", end.key, out)
		}
	}
}
