package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// regionForm matches what can be a Region's name.
var regionForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// configured returns the error of a configuration that the SDK has read with err, or with which
// no call could be made.
func configured(cfg aws.Config, err error) error {
	var profile config.SharedConfigProfileNotExistError
	switch {
	case errors.As(err, &profile):
		return fmt.Errorf("there is no profile %s in the AWS configuration: aws configure list-profiles lists them", strconv.Quote(shortened(profile.Profile)))
	case err != nil:
		return fmt.Errorf("the AWS configuration: %w", err)
	case cfg.Region == "":
		return errors.New("there is no Region: give --region, set AWS_REGION, or set it in the profile")
	case !regionForm.MatchString(cfg.Region):
		return fmt.Errorf("%s can't be a Region, which is like eu-central-1: check --region, AWS_REGION and the profile", strconv.Quote(shortened(cfg.Region)))
	}
	if endpoint := os.Getenv("AWS_ENDPOINT_URL"); endpoint != "" {
		if at, err := url.Parse(endpoint); err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" {
			return fmt.Errorf("AWS_ENDPOINT_URL is %s, which must be a URL such as http://127.0.0.1:4566", strconv.Quote(shortened(endpoint)))
		}
	}
	return nil
}
