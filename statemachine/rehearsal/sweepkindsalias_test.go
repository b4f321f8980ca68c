package rehearsal

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
)

func drawDeed(t *rapid.T, plain *observed) disturbance {
	return drawWrite(t, plain, oneOf(t, deeds[:3]))
}

func drawText(t *rapid.T, plain *observed) disturbance {
	return drawWrite(t, plain, deeds[3])
}

func drawReplacement(t *rapid.T, plain *observed) disturbance {
	return drawWrite(t, plain, deeds[4])
}

func drawRewrite(t *rapid.T, plain *observed) disturbance {
	return drawWrite(t, plain, deed{"the same again", func(c alias.Content) alias.Content { return c }})
}

func drawWrite(t *rapid.T, plain *observed, d deed) disturbance {
	call := someCall(t, plain)
	if uniform(t, 2) == 0 {
		return disturbance{name: fmt.Sprintf("%s after call %d", d.name, call), install: func(o *observed) { o.atReply(call, func() { o.foreignWrite(d.do) }) }}
	}
	call++ // not before the rollout has begun
	return disturbance{name: fmt.Sprintf("%s before call %d", d.name, call), install: func(o *observed) { o.atCall(call, func() { o.foreignWrite(d.do) }) }}
}

func drawDeletion(t *rapid.T, plain *observed) disturbance {
	call := someCall(t, plain)
	return disturbance{name: fmt.Sprintf("deleted after call %d", call), install: func(o *observed) { o.atReply(call, o.foreignDelete) }}
}

func drawVersionDeletion(t *rapid.T, plain *observed) disturbance {
	call := someCall(t, plain)
	return disturbance{name: fmt.Sprintf("version 8 deleted after call %d", call), install: func(o *observed) {
		o.atReply(call, o.versionDelete)
	}}
}

// versionDelete has someone delete the new version: in vain once the alias sends it
// requests.
func (o *observed) versionDelete() {
	function, version := "f", "8"
	_, _ = lambda.NewFromConfig(o.server.Config()).DeleteFunction(context.Background(), &lambda.DeleteFunctionInput{FunctionName: &function, Qualifier: &version})
}
