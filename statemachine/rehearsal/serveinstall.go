package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
)

// simpleDeployFunction is the name of the one-function deployer in the post.
const simpleDeployFunction = "SimpleDeployFunction"

// install makes the stack's functions invocable by clients.
func (s *ServedAWS) install() error {
	var problems []error
	add := func(name string, timeout time.Duration, f runtime.Handler) {
		handler := func(payload []byte) ([]byte, time.Duration, error) {
			answer, err := f.Invoke(context.Background(), payload)
			return bytes.Clone(answer), 0, err
		}
		problems = append(problems, s.server.AddFunction(name), s.server.SetHandler(name, "", handler),
			s.server.SetConfiguration(name, "$LATEST", func(c *types.FunctionConfiguration) {
				c.Timeout = aws.Int32(int32(timeout.Seconds()))
			}))
	}
	for _, m := range s.machines() {
		for _, f := range m.workflow.functions {
			deployed := functionARN(f.Name)
			add(arn.Name(deployed), s.options.Template.functions[f.Name].timeout, m.functions[deployed])
		}
	}
	if _, ok := s.options.Template.functions[simpleDeploy]; ok {
		add(simpleDeployFunction, simpleTimeout, runtime.NewHandler(s.deploySimply))
	}
	if _, ok := s.options.Template.functions[stackProvider]; ok {
		add(arn.Name(functionARN(stackProvider)), time.Minute, runtime.NewHandler(func() error {
			return errors.New("StackRollout answers CloudFormation's requests, and a served AWS runs no stacks: rehearse a stack with `lambda-rollout rehearse --stack`")
		}))
	}
	return errors.Join(problems...)
}

// deploySimply runs the one-function deployer.
func (s *ServedAWS) deploySimply(ctx context.Context, input json.RawMessage) (any, error) {
	const invoked = "arn:aws:lambda:" + region + ":" + account + ":function:" + simpleDeployFunction
	return s.deployer(s.clock.Now().Add(simpleTimeout)).Handle(ctx, invoked, input)
}

// logger returns the logger of a function, which writes to its log group.
func (s *ServedAWS) logger(f deployed) *slog.Logger {
	namespace := wire.ReadEnvironment(func(name string) string { return f.environment[name] }).Namespace
	log := telemetry.NewLogger(logWriter{s, f.logGroup[strings.Index(f.logGroup, ":log-group:")+len(":log-group:"):]}, namespace)
	return slog.New(timedHandler{log.Handler(), s.clock.Now})
}

// timedHandler gives records the virtual time.
type timedHandler struct {
	slog.Handler
	now func() time.Time
}

func (h timedHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Time = h.now()
	return h.Handler.Handle(ctx, r)
}

func (h timedHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return timedHandler{h.Handler.WithAttrs(attrs), h.now}
}

func (h timedHandler) WithGroup(name string) slog.Handler {
	return timedHandler{h.Handler.WithGroup(name), h.now}
}

// logWriter writes lines to a log group.
type logWriter struct {
	s     *ServedAWS
	group string
}

func (w logWriter) Write(line []byte) (int, error) {
	now := w.s.clock.Now()
	stream := now.Format("2006/01/02") + "/[$LATEST]1"
	return len(line), w.s.server.AppendLog(w.group, stream, now, strings.TrimSuffix(string(line), "\n"))
}
