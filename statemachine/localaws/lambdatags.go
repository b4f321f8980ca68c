package localaws

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// tagOperation returns the name of Lambda's operation on tags with a method; "" if there is none.
func tagOperation(method string) string {
	return map[string]string{http.MethodPost: "TagResource", http.MethodDelete: "UntagResource", http.MethodGet: "ListTags"}[method]
}

// handleTags reads or changes the tags of a function.
func (l *lambdaService) handleTags(operation string, r *request) (reply, *apiError) {
	given := strings.TrimPrefix(r.URL.Path, tagsPath)
	if !strings.HasPrefix(given, "arn:") {
		return reply{}, unsatisfied(given, "resource", `arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}(-gov)?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?)`)
	}
	ref, err := l.parseFunction(given)
	if err != nil {
		return reply{}, err
	}
	if ref.qualifier != "" {
		return reply{}, invalidParameter("Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	if _, err := l.find(ref); err != nil {
		return reply{}, err
	}
	arn := l.arn(ref)
	tags := l.tags.plain(arn)
	switch operation {
	case "ListTags":
		return l.encode(http.StatusOK, &lambda.ListTagsOutput{Tags: tags})
	case "TagResource":
		var in struct{ Tags map[string]string }
		if len(r.body) > 0 && json.Unmarshal(r.body, &in) != nil {
			return reply{}, &apiError{http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json"}
		}
		if in.Tags == nil {
			return reply{}, absent("tags")
		}
		maps.Copy(tags, in.Tags)
		if err := checkTags(tags); err != nil {
			return reply{}, err
		}
	case "UntagResource":
		keys := r.URL.Query()["tagKeys"]
		if len(keys) == 0 {
			return reply{}, absent("tagKeys")
		}
		for _, key := range keys {
			delete(tags, key)
		}
	}
	l.tags.set(arn, tags)
	return reply{status: http.StatusNoContent, header: http.Header{}}, nil
}

// checkTags returns an error for tags that a function can't have.
func checkTags(tags map[string]string) *apiError {
	if len(tags) > 50 {
		return invalidParameter("Number of tags exceeds function tag limit of 50")
	}
	for key, value := range tags {
		switch {
		case key == "" || utf8.RuneCountInString(key) > 128:
			return invalid(tags, "tags", "Map keys must satisfy constraint: [Member must have length between 1 and 128, inclusive]")
		case utf8.RuneCountInString(value) > 256:
			return invalid(tags, "tags", "Map value must satisfy constraint: [Member must have length less than or equal to 256]")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return invalidParameter("Tag keys that begin with aws: are reserved: %s", key)
		}
	}
	return nil
}
