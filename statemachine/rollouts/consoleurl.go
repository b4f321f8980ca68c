package rollouts

import (
	"net"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// ConsoleURL returns the URL of the page about an execution, given by its ARN: that of AWS's
// console or, of an AWS on this machine, what Pages returns; "" if there is none.
func (c *Client) ConsoleURL(execution string) string {
	endpoint := aws.ToString(c.States.Options().BaseEndpoint)
	if !onThisMachine(endpoint) {
		return rollout.ConsoleURL(execution)
	}
	if c.Pages == nil {
		return ""
	}
	return c.Pages(endpoint, execution, c.Noun())
}

// onThisMachine reports whether an endpoint is on a loopback address.
func onThisMachine(endpoint string) bool {
	at, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(at.Hostname())
	return at.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
