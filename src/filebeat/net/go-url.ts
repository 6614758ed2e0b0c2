/** URLs as Go's net/url parses them. Filebeat checks addresses of servers and proxies with it. */

/** Whether `url.Parse` accepts the text. */
export function validUrl(text: string): boolean {
  if (/[\x00-\x1f\x7f]/.test(text)) return false;
  const hash = text.indexOf('#');
  const body = hash < 0 ? text : text.slice(0, hash);
  if (hash >= 0 && !validEscapes(text.slice(hash + 1))) return false;
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(body)?.[1];
  // A colon at the start, or (below) after a first segment that is no scheme.
  if (body.startsWith(':')) return false;
  const path = (scheme === undefined ? body : body.slice(scheme.length + 1)).split('?')[0]!;
  if (!path.startsWith('/')) {
    // `mailto:x`: Go does not parse what follows a scheme without a slash.
    if (scheme !== undefined) return true;
    if (path.split('/')[0]!.includes(':')) return false;
  }
  if (!path.startsWith('//') || (scheme === undefined && path.startsWith('///'))) return validEscapes(path);
  const slash = path.indexOf('/', 2);
  const authority = slash < 0 ? path.slice(2) : path.slice(2, slash);
  return validAuthority(authority) && (slash < 0 || validEscapes(path.slice(slash)));
}

function validAuthority(authority: string): boolean {
  const at = authority.lastIndexOf('@');
  if (at >= 0 && !/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(authority.slice(0, at))) return false;
  if (at >= 0 && !validEscapes(authority.slice(0, at))) return false;
  const host = authority.slice(at + 1);
  if (host.startsWith('[')) {
    const end = host.lastIndexOf(']');
    return end > 0 && validPort(host.slice(end + 1));
  }
  const colon = host.lastIndexOf(':');
  if (colon >= 0 && !validPort(host.slice(colon))) return false;
  // In a host only non-ASCII bytes may be escaped.
  return /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"\u0080-\uffff]|%[89a-fA-F][0-9a-fA-F])*$/.test(host);
}

function validPort(text: string): boolean {
  return /^(?::\d*)?$/.test(text);
}

function validEscapes(text: string): boolean {
  return !/%(?![0-9a-fA-F]{2})/.test(text);
}

/** Whether `common.MakeURL` accepts the address of a server. It adds `http://` if there is no scheme. */
export function validServer(address: string, scheme: string): boolean {
  return validUrl(/^[a-z][a-z0-9+\-.]*:\/\//.test(address) ? address : `${scheme || 'http'}://${address}`);
}
