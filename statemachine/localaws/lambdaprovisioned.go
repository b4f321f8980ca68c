package localaws

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// provisionedPath is the path of Lambda's operations on provisioned concurrency, which has another date than the others.
const (
	provisionedPath     = "/2019-09-30/functions"
	provisionedResource = "provisioned-concurrency"
)

// provisioned is the provisioned concurrency of a version or an alias.
type provisioned struct {
	executions int32
	modified   time.Time
	version    string // the version for which it is allocated: itself, or the one that the alias points at
	status     types.ProvisionedConcurrencyStatusEnum
	due        time.Time // when an allocation that is IN_PROGRESS ends
	// holds is the version on which AWS keeps an alias's requests until the allocation has succeeded; empty for none.
	holds string
	// next is the alias's revision from the allocation's success on, if holds is set. It is given before, because it must
	// not depend on who looks first.
	next string
	// failure is why an allocation has FAILED.
	failure string
}

// wire returns the configuration as the SDK's type.
func (p provisioned) wire() lambda.GetProvisionedConcurrencyConfigOutput {
	out := lambda.GetProvisionedConcurrencyConfigOutput{
		RequestedProvisionedConcurrentExecutions: &p.executions,
		AllocatedProvisionedConcurrentExecutions: aws.Int32(0),
		AvailableProvisionedConcurrentExecutions: aws.Int32(0),
		LastModified:                             aws.String(p.modified.UTC().Format("2006-01-02T15:04:05-0700")),
		Status:                                   p.status,
	}
	switch p.status {
	case types.ProvisionedConcurrencyStatusEnumReady:
		out.AllocatedProvisionedConcurrentExecutions, out.AvailableProvisionedConcurrentExecutions = &p.executions, &p.executions
	case types.ProvisionedConcurrencyStatusEnumFailed:
		out.StatusReason = &p.failure
	}
	return out
}

func (l *lambdaService) getProvisioned(name string, r *request) (reply, *apiError) {
	f, ref, err := l.findProvisionable(name, r)
	if err != nil {
		return reply{}, err
	}
	p, ok := f.provisioned[ref.qualifier]
	if !ok {
		return reply{}, &apiError{http.StatusNotFound, "ProvisionedConcurrencyConfigNotFoundException",
			"No Provisioned Concurrency Config found for this function"}
	}
	out := p.wire()
	return l.encode(http.StatusOK, &out)
}

// putProvisioned sets the provisioned concurrency of a version or an alias. The alias must not have weights at that time;
// adding weights later is allowed, because AWS documents weighted aliases with provisioned concurrency for canary
// deployments.
func (l *lambdaService) putProvisioned(name string, r *request) (reply, *apiError) {
	var in lambda.PutProvisionedConcurrencyConfigInput
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	if n := aws.ToInt32(in.ProvisionedConcurrentExecutions); n < 1 {
		return reply{}, invalid(n, "provisionedConcurrentExecutions", "Member must have value greater than or equal to 1")
	}
	f, ref, err := l.findProvisionable(name, r)
	if err != nil {
		return reply{}, err
	}
	if err := f.checkProvisioned(ref.qualifier); err != nil {
		return reply{}, err
	}
	number := ref.qualifier
	if alias, ok := f.aliases[number]; ok {
		number = alias.Version
	}
	p := l.allocation(*in.ProvisionedConcurrentExecutions, number)
	f.provisioned[ref.qualifier] = p
	out := p.wire()
	return l.encode(http.StatusAccepted, &out)
}

// checkProvisioned returns an error if a version or an alias can't have provisioned concurrency. l.mu is held.
func (f *function) checkProvisioned(qualifier string) *apiError {
	if alias, ok := f.aliases[qualifier]; ok {
		if alias.Additional != "" {
			return invalidParameter("Alias with weights can not be used with Provisioned Concurrency")
		}
		if alias.Version == latest {
			return invalidParameter("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
		}
		if _, ok := f.provisioned[alias.Version]; ok {
			return conflict("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
		}
		return nil
	}
	for name, alias := range f.aliases {
		if _, ok := f.provisioned[name]; ok && alias.Version == qualifier {
			return conflict("Version is pointed by a Provisioned Concurrency alias")
		}
	}
	return nil
}

func (l *lambdaService) deleteProvisioned(name string, r *request) (reply, *apiError) {
	f, ref, err := l.findProvisionable(name, r)
	if err != nil {
		return reply{}, err
	}
	delete(f.provisioned, ref.qualifier) // deleting what is not there succeeds, as with AWS
	return reply{status: http.StatusNoContent, header: http.Header{}}, nil
}

// findProvisionable returns the function, and the alias or published version that the request names. l.mu is held.
func (l *lambdaService) findProvisionable(name string, r *request) (*function, functionRef, *apiError) {
	ref, err := l.qualified(name, qualifierOf(r.URL))
	switch {
	case err != nil:
		return nil, ref, err
	case ref.qualifier == "":
		return nil, ref, absent("qualifier")
	case ref.qualifier == latest && r.Method == http.MethodPut:
		return nil, ref, invalidParameter("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	case ref.qualifier == latest:
		return nil, ref, invalidParameter("The function resource provided must be an alias or a published version.")
	}
	f, missing := l.find(ref)
	if missing == nil {
		if _, ok := f.aliases[ref.qualifier]; ok || f.version(ref.qualifier) != nil {
			return f, ref, nil
		}
	}
	kind := "Cannot find alias arn"
	if isVersion(ref.qualifier) {
		kind = "Function not found"
	}
	return nil, ref, notFound("%s: %s", kind, l.arn(ref))
}
