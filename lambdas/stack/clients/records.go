// Package clients implements the ports of package provider over AWS SDK clients, and
// over HTTP for the answers.
package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/stack"
	"github.com/lambda-rollout/lambda-rollout/lambdas/stack/provider"
)

type ssmAPI interface {
	ssm.GetParametersByPathAPIClient
	PutParameter(context.Context, *ssm.PutParameterInput, ...func(*ssm.Options)) (*ssm.PutParameterOutput, error)
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
	DeleteParameter(context.Context, *ssm.DeleteParameterInput, ...func(*ssm.Options)) (*ssm.DeleteParameterOutput, error)
}

// Records keeps each record in a SecureString of Parameter Store, below a path: the URLs in
// it are secrets.
type Records struct {
	api  ssmAPI
	path string
}

// NewRecords returns Records below a path such as "/lambda-rollout-stacks/my-machine".
func NewRecords(api ssmAPI, path string) Records { return Records{api, strings.TrimSuffix(path, "/")} }

func (r Records) name(id stack.ID) string { return r.path + "/" + id.Resource + "/" + id.Attempt }

// Add implements provider.Records.
func (r Records) Add(ctx context.Context, record stack.Record) (stack.Record, bool, error) {
	err := r.put(ctx, record, false)
	var there *types.ParameterAlreadyExists
	if err == nil || !errors.As(err, &there) {
		return record, true, err
	}
	name := r.name(record.ID)
	out, err := r.api.GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	if err != nil {
		return record, false, fmt.Errorf("reading the record of %s: %w", record.RequestID, awserror.Plain(err))
	}
	if out.Parameter == nil {
		return record, false, awserror.Hollow(nil)
	}
	existing, err := read(*out.Parameter)
	return existing, false, err
}

// Put implements provider.Records. Parameter Store keeps earlier values of a parameter: one
// that had secrets is deleted first.
func (r Records) Put(ctx context.Context, record stack.Record) error {
	if record.Over {
		if err := r.Remove(ctx, record.ID); err != nil {
			return err
		}
	}
	return r.put(ctx, record, true)
}

func (r Records) put(ctx context.Context, record stack.Record, overwrite bool) error {
	document, err := json.Marshal(record)
	if err != nil {
		return err
	}
	_, err = r.api.PutParameter(ctx, &ssm.PutParameterInput{
		Name: aws.String(r.name(record.ID)), Value: aws.String(string(document)), Type: types.ParameterTypeSecureString, Overwrite: &overwrite,
		Tier: types.ParameterTierIntelligentTiering, // long URLs don't fit into the standard tier's 4 KB
	})
	if err != nil {
		return fmt.Errorf("keeping the record of %s: %w", record.RequestID, awserror.Plain(err))
	}
	return nil
}

// Remove implements provider.Records.
func (r Records) Remove(ctx context.Context, id stack.ID) error {
	name := r.name(id)
	_, err := r.api.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: &name})
	var gone *types.ParameterNotFound
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("removing the record %s: %w", name, awserror.Plain(err))
	}
	return nil
}

// All implements provider.Records.
func (r Records) All(ctx context.Context, resource string) ([]stack.Record, error) {
	path := r.path
	if resource != "" {
		path += "/" + resource
	}
	var all []stack.Record
	var unreadable []error
	pages := ssm.NewGetParametersByPathPaginator(r.api, &ssm.GetParametersByPathInput{Path: &path, Recursive: aws.Bool(true), WithDecryption: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the records below %s: %w", path, awserror.Plain(err))
		}
		for _, parameter := range page.Parameters {
			if record, err := read(parameter); err != nil {
				unreadable = append(unreadable, err)
			} else {
				all = append(all, record)
			}
		}
	}
	return all, errors.Join(unreadable...)
}

// read reads a record. Its error has nothing of the parameter's value.
func read(p types.Parameter) (stack.Record, error) {
	var record stack.Record
	if json.Unmarshal([]byte(aws.ToString(p.Value)), &record) != nil {
		return record, fmt.Errorf("the parameter %s is %w", aws.ToString(p.Name), provider.ErrUnreadable)
	}
	return record, nil
}
