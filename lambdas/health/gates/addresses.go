package gates

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// Resolver looks up the addresses of a host name, as a *net.Resolver does. The network
// is "ip", for addresses of both kinds.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// NewHTTPClient returns the client that calls users' URLs. It reaches public
// addresses at port 443, and addresses in one of the allowed ranges (nil for none)
// at any port. It checks all addresses that a name resolves to and then dials a
// checked address itself, so that no second look-up can return another one.
//
// It uses no proxy and no cookies, keeps no connection, requests no compressed
// answers, and does not follow redirects: the gate does, because it knows where to.
// Timeouts come from a request's context. A nil resolver is the system's.
func NewHTTPClient(allowed []netip.Prefix, resolver Resolver) *http.Client {
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            guard{slices.Clone(allowed), resolver}.dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dialTimeout is for one address of several.
const dialTimeout = 5 * time.Second

// refusedAddress is the error of a request to an address that it must not reach.
type refusedAddress struct {
	host string // as the URL names it
	addr netip.AddrPort
	why  string
}

func (e *refusedAddress) Error() string {
	if e.host == e.addr.Addr().String() {
		return fmt.Sprintf("%s is refused: %s", e.addr, e.why)
	}
	return fmt.Sprintf("%s resolves to %s, which is refused: %s", e.host, e.addr.Addr(), e.why)
}

// guard dials only what may be reached.
type guard struct {
	allowed  []netip.Prefix
	resolver Resolver
}

func (g guard) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	host, service, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	port, err := net.LookupPort("tcp", service)
	if err != nil {
		return nil, err
	}
	addresses, err := g.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	for i, addr := range addresses {
		addresses[i] = addr.Unmap()
		if why := g.refusal(addr, uint16(port)); why != "" {
			return nil, &refusedAddress{host, netip.AddrPortFrom(addr, uint16(port)), why}
		}
	}
	// IPv4 first: a function has no way out over IPv6 unless its network gives it one.
	slices.SortStableFunc(addresses, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	dialer := net.Dialer{Timeout: dialTimeout, Control: g.control}
	err = fmt.Errorf("%s has no address", host)
	for _, addr := range addresses {
		var conn net.Conn
		if conn, err = dialer.DialContext(ctx, network, netip.AddrPortFrom(addr, uint16(port)).String()); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func (g guard) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	addresses, err := g.resolver.LookupNetIP(ctx, "ip", host)
	return slices.Clone(addresses), err
}

// control checks the address again, right before the socket connects to it.
func (g guard) control(_, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if why := g.refusal(addr.Addr(), addr.Port()); why != "" {
		return &refusedAddress{addr.Addr().String(), addr, why}
	}
	return nil
}

// refusal returns why an address must not be reached at a port; empty if it may be.
func (g guard) refusal(addr netip.Addr, port uint16) string {
	if addr.Zone() != "" {
		return "an address with a zone"
	}
	addr = addr.Unmap()
	for _, prefix := range g.allowed {
		if prefix.Contains(addr) {
			return ""
		}
	}
	if why := notPublic(addr); why != "" {
		return why
	}
	if port != 443 {
		return fmt.Sprintf("port %d, and public addresses are reached at port 443 only", port)
	}
	return ""
}

// notPublic returns what an address is, if it is not one of the public internet;
// empty if it is. A NAT64 address counts as the IPv4 address in it.
func notPublic(addr netip.Addr) string {
	if nat64.Contains(addr) {
		bytes := addr.As16()
		addr = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	if !addr.IsValid() {
		return "not an address"
	}
	for _, r := range notPublicRanges {
		if r.prefix.Contains(addr) {
			return r.why
		}
	}
	if addr.Is6() && !globalUnicast.Contains(addr) {
		return "not a public address of IPv6"
	}
	return ""
}

var (
	// nat64 is the prefix by which IPv6-only networks reach IPv4 (RFC 6052).
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
	// globalUnicast is all that IANA has given out of IPv6's public addresses.
	globalUnicast = netip.MustParsePrefix("2000::/3")
)

// notPublicRanges are IANA's special-purpose addresses, and multicast. Of IPv6,
// those outside globalUnicast are here only to be called by their names.
var notPublicRanges = []struct {
	prefix netip.Prefix
	why    string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "an unspecified address"},
	{netip.MustParsePrefix("10.0.0.0/8"), "a private address"},
	{netip.MustParsePrefix("100.64.0.0/10"), "an address shared behind a carrier's NAT"},
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback address"},
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local address"},
	{netip.MustParsePrefix("172.16.0.0/12"), "a private address"},
	{netip.MustParsePrefix("192.0.0.0/24"), "an address reserved for protocols"},
	{netip.MustParsePrefix("192.0.2.0/24"), "an address for documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "a relay of 6to4"},
	{netip.MustParsePrefix("192.168.0.0/16"), "a private address"},
	{netip.MustParsePrefix("198.18.0.0/15"), "an address for benchmarks"},
	{netip.MustParsePrefix("198.51.100.0/24"), "an address for documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "an address for documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast address"},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved address"},

	{netip.MustParsePrefix("::/128"), "an unspecified address"},
	{netip.MustParsePrefix("::1/128"), "a loopback address"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "an address of a local NAT64"},
	{netip.MustParsePrefix("2001::/23"), "an address reserved for protocols"}, // Teredo, benchmarks, ORCHID
	{netip.MustParsePrefix("2001:db8::/32"), "an address for documentation"},
	{netip.MustParsePrefix("2002::/16"), "an address of 6to4"},
	{netip.MustParsePrefix("3fff::/20"), "an address for documentation"},
	{netip.MustParsePrefix("fc00::/7"), "a private address"},
	{netip.MustParsePrefix("fe80::/10"), "a link-local address"},
	{netip.MustParsePrefix("fec0::/10"), "a private address"},
	{netip.MustParsePrefix("ff00::/8"), "a multicast address"},
}
