package localaws

import (
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

var parameterPath = regexp.MustCompile(`^/([A-Za-z0-9_./-]*)$`)

// getParametersByPath returns the last versions of the parameters below a path, sorted by name, without the path itself.
// Its NextToken is the name of the next parameter; it stays valid when parameters are added and deleted. Filters are not
// supported.
func (s *ssmService) getParametersByPath(r *request) (reply, *apiError) {
	var in ssm.GetParametersByPathInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	path, size := aws.ToString(in.Path), int32(10)
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	switch {
	case size < 1:
		return reply{}, invalid(size, "maxResults", "Member must have value greater than or equal to 1")
	case size > 10:
		return reply{}, invalid(size, "maxResults", "Member must have value less than or equal to 10")
	case !parameterPath.MatchString(path) || len(path) > 2048 || strings.Contains(path, "//"):
		return reply{}, badRequest("ValidationException", "%s", badPath)
	case in.ParameterFilters != nil:
		return reply{}, badRequest("ValidationException", "The local AWS does not support ParameterFilters.")
	}
	first, tokenErr := base64.RawURLEncoding.DecodeString(aws.ToString(in.NextToken))
	if tokenErr != nil || in.NextToken != nil && !parameterName.Match(first) {
		return reply{}, badRequest("InvalidNextToken", "The specified token isn't valid.")
	}
	var out struct {
		Parameters []parameterItem
		NextToken  string `json:",omitempty"`
	}
	out.Parameters = []parameterItem{}
	for _, name := range slices.Sorted(maps.Keys(s.parameters)) {
		if name < string(first) || !isBelow(name, path, aws.ToBool(in.Recursive)) {
			continue
		}
		if len(out.Parameters) == int(size) {
			out.NextToken = base64.RawURLEncoding.EncodeToString([]byte(name))
			break
		}
		p := s.parameters[name]
		out.Parameters = append(out.Parameters, s.item(p, p.latest(), in.WithDecryption))
	}
	return s.encode(&out)
}

// isBelow reports whether a parameter is on the level below the path or, with deep, on any level below it.
func isBelow(name, path string, deep bool) bool {
	rest, below := strings.CutPrefix("/"+strings.TrimPrefix(name, "/"), strings.TrimSuffix(path, "/")+"/")
	return below && (deep || !strings.Contains(rest, "/"))
}

// badPath is Parameter Store's message for a path that it does not accept.
const badPath = `The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "/". ` +
	`It can't be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: ` +
	`. (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward ` +
	`slash symbol "/". Valid example: /get/parameters2-/by1./path0_.`

// deleteParameter deletes a parameter with its history. A parameter that is created again starts with version 1.
func (s *ssmService) deleteParameter(r *request) (reply, *apiError) {
	var in ssm.DeleteParameterInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	p, selector, err := s.find(aws.ToString(in.Name))
	switch {
	case err != nil:
		return reply{}, err
	case selector != "" || *in.Name != p.name:
		return reply{}, badRequest("ValidationException", "%q is not the name of a parameter: an ARN or a version can't be deleted.", *in.Name)
	}
	delete(s.parameters, p.name)
	return s.encode(struct{}{})
}
