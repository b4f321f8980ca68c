package localaws

import (
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

func (l *lambdaService) publishVersion(name string, r *request) (reply, *apiError) {
	var in lambda.PublishVersionInput
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	if err := checkDescription(in.Description); err != nil {
		return reply{}, err
	}
	f, err := l.findUpdatable(name, in.RevisionId)
	if err != nil {
		return reply{}, err
	}
	if sum := aws.ToString(in.CodeSha256); sum != "" && sum != *f.latest.config.CodeSha256 {
		return reply{}, invalidParameter("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.",
			sum, *f.latest.config.CodeSha256)
	}
	return l.encode(http.StatusCreated, &l.publish(f, in.Description).config)
}

// publish publishes $LATEST and returns the new version. If nothing has changed since the last one, it returns that one, as
// AWS does, unless that was deleted.
func (l *lambdaService) publish(f *function, description *string) *version {
	if f.changed || f.versions[f.last] == nil {
		f.changed = false
		v := f.latest
		f.last++
		ref := functionRef{*v.config.FunctionName, strconv.Itoa(f.last)}
		v.config.Version, v.config.FunctionArn = &ref.qualifier, aws.String(l.arn(ref))
		replace(&v.config.Description, description)
		l.touch(&v)
		if !v.due.IsZero() {
			v.next = l.nextRevision()
		}
		f.latest.config.RevisionId = aws.String(l.nextRevision())
		f.versions[f.last] = &v
	}
	return f.versions[f.last]
}
