/**
 * The one program file behind every name a machine's PATH offers: bash only, because starting anything heavier for each
 * command would take longer than the command. It hands its name, arguments and, where an argument asks for it, stdin to
 * the machine host (shim-server.ts) and repeats the answer. All lengths are bytes: LC_ALL=C.
 */
export const SHIM = `#!/bin/bash
LC_ALL=C
exec {host}<>"/dev/tcp/127.0.0.1/$NODE_SHIM_PORT" || exit 126
stdin=
for argument in "$@"; do
  case $argument in - | @- | *=-) IFS= read -r -d '' stdin; break ;; esac
done
printf -v request '%s\\n%s\\n%d\\n' "$NODE_SHIM_SECRET" "\${0##*/}" "$#"
for argument in "$@" "$stdin"; do
  printf -v field '%d:%s' "\${#argument}" "$argument"
  request+=$field
done
printf '%s' "$request" >&"$host"
read -r code out err <&"$host" || exit 126
IFS= read -r -N "$out" stdout <&"$host"
IFS= read -r -N "$err" stderr <&"$host"
printf '%s' "$stdout"
printf '%s' "$stderr" >&2
exit "$code"
`;
