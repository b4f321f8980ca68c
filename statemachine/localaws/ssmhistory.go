package localaws

import (
	"encoding/json"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// getParameterHistory returns a page of the kept versions as JSON.
func (s *ssmService) getParameterHistory(r *request) (reply, *apiError) {
	var in ssm.GetParameterHistoryInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	p, versions, next, err := s.history(&in)
	if err != nil {
		return reply{}, err
	}
	type item struct {
		Name, Value, LastModifiedUser, DataType string
		Description                             string `json:",omitempty"`
		Type                                    types.ParameterType
		Tier                                    types.ParameterTier
		Version                                 int64
		LastModifiedDate                        json.Number
		Labels, Policies                        []string
	}
	var out struct {
		Parameters []item
		NextToken  string `json:",omitempty"`
	}
	out.Parameters, out.NextToken = []item{}, next
	for _, v := range versions {
		out.Parameters = append(out.Parameters, item{p.name, p.valueOf(v, in.WithDecryption), v.user, "text", v.about,
			p.kind, tierOf(v.value), v.number, epochSeconds(v.at), []string{}, []string{}})
	}
	return s.encode(&out)
}

// history returns a parameter and a page of its kept versions, the newest last. The page's NextToken is the number of the next
// version, or empty. s.mu is held.
func (s *ssmService) history(in *ssm.GetParameterHistoryInput) (p *parameter, versions []parameterVersion, next string, err *apiError) {
	size := int32(50)
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	if size < 1 || size > 50 {
		return nil, nil, "", invalid(size, "maxResults", "Member must have value between 1 and 50")
	}
	p, selector, err := s.find(aws.ToString(in.Name))
	switch {
	case err != nil:
		return nil, nil, "", err
	case selector != "":
		return nil, nil, "", badRequest("ValidationException", "The history of a parameter has all versions; version %s can't be selected.", selector)
	}
	from := int64(1)
	if in.NextToken != nil {
		var parseErr error
		if from, parseErr = strconv.ParseInt(*in.NextToken, 10, 64); parseErr != nil || from < 1 || from > p.latest().number {
			return nil, nil, "", badRequest("InvalidNextToken", "The specified token isn't valid.")
		}
	}
	versions = p.versions
	for len(versions) > 0 && versions[0].number < from {
		versions = versions[1:]
	}
	if len(versions) > int(size) {
		return p, versions[:size], strconv.FormatInt(versions[size].number, 10), nil
	}
	return p, versions, "", nil
}
