# shellcheck shell=bash
# The platform simulator beside a home: WeCom without an account. It ends with the shell that started it, whatever ends that. Sourced by `run`.

# What `zhiyin serve` and `zhiyin demo` are told beside what they are asked; empty where there is no simulator.
platform_options=()
# Where its page is.
platform_url=""
platform_port=""
# The app of the home there. Nobody outside of this machine reaches it, so these are no secrets.
platform_secret="simulated"
platform_token="sign"
platform_key="kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"

# A port of this machine that nobody listens at.
free_port() {
  local port tries
  for ((tries = 0; tries < 100; tries++)); do
    port=$((20000 + RANDOM % 20000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return 0
    fi
  done
  return 1
}

# What somebody there does: POST /sim/$1 with the JSON $2.
platform_act() {
  local body="$2" answer length
  length="$(printf '%s' "$body" | wc -c)"
  exec 4<>"/dev/tcp/127.0.0.1/$platform_port"
  printf 'POST /sim/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' "$1" "$length" "$body" >&4
  answer="$(cat <&4)"
  exec 4<&-
  [[ "$answer" == "HTTP/1.1 200"* ]] || {
    say "The simulator refused $1: ${answer##*$'\n'}"
    return 1
  }
}

platform_input=""

# Starts it for a home that is to listen at the address $1 (host:port), and says what to try.
start_platform() {
  [[ -z "${ZHIYIN_WITHOUT_PLATFORM:-}" ]] || return 0
  local listen="$1" folder="$cache/platform" tries callback
  # The tests build it with everything else.
  [[ -n "${platform_is_built:-}" ]] || cargo build --release "${locked[@]}" -p zhiyin-platform-sim || return 1
  mkdir -p "$folder"
  rm -f "$folder/port"
  # It ends when the pipe closes, which it does with this shell: so its number is kept, and never used.
  # shellcheck disable=SC2034
  exec {platform_input}> >("$target/release/platform-sim" --real --for 604800 --until-eof --port-file "$folder/port" >"$folder/log" 2>&1)
  for ((tries = 0; tries < 100; tries++)); do
    [[ ! -s "$folder/port" ]] || break
    sleep 0.1
  done
  platform_port="$(cat "$folder/port" 2>/dev/null)" || true
  [[ -n "$platform_port" ]] || {
    say "The simulator did not start; the home goes on without it:"
    cat "$folder/log"
    return 0
  }
  platform_url="http://127.0.0.1:$platform_port"
  callback="{\"url\":\"http://$listen/v1/callbacks/wecom/main\",\"token\":\"$platform_token\",\"aes_key\":\"$platform_key\"}"
  platform_act apps "{\"agentid\":1000002,\"secret\":\"$platform_secret\",\"name\":\"知音\",\"callback\":$callback}"
  platform_act sms/account "{\"platform\":\"aliyun\",\"key_id\":\"simulated\",\"secret\":\"$platform_secret\",\"sign\":\"知音\",\"url\":\"http://$listen/v1/callbacks/sms/main?secret=$platform_secret-callbacks\"}"
  # The words of codes as `zhiyin serve` says them (docs/me.md).
  # shellcheck disable=SC2016
  local code_zh='您的验证码是${code}，5分钟内有效，请勿告诉他人。' code_en='Your code is ${code}. It is good for 5 minutes; tell nobody.'
  platform_act sms/template "{\"platform\":\"aliyun\",\"id\":\"SMS_1\",\"text\":\"$code_zh\"}"
  platform_act sms/template "{\"platform\":\"aliyun\",\"id\":\"SMS_2\",\"text\":\"$code_en\"}"
  platform_act demo '{}'
  # Two desks of customer service that are one persona: one inbox.
  platform_act kf '{"open_kfid":"wkDoor","name":"门店客服"}'
  platform_act kf '{"open_kfid":"wkOrders","name":"订单客服"}'
  cat >"$folder/channels.json" <<JSON
{
  "public_url": "http://$listen",
  "sms": { "main": {
    "provider": "aliyun", "key_id": "simulated", "key_secret_env": "ZHIYIN_SIM_SECRET", "sign": "知音", "api": "$platform_url",
    "templates": [{ "id": "SMS_1", "text": "$code_zh" }, { "id": "SMS_2", "text": "$code_en" }],
    "prices": [{ "per_part": "0.045" }], "callback_secret_env": "ZHIYIN_SIM_CALLBACKS"
  } },
  "wecom": { "main": {
    "corp_id": "ww5f1a2b3c4d5e6f70", "agent_id": 1000002, "secret_env": "ZHIYIN_SIM_SECRET", "api": "$platform_url",
    "callback": { "token_env": "ZHIYIN_SIM_TOKEN", "aes_key_env": "ZHIYIN_SIM_KEY" },
    "accounts": [{ "userid": "xiaohe", "persona": "little_advisor" }, { "userid": "lin", "persona": "little_advisor" }],
    "service": [{ "open_kfid": "wkDoor", "persona": "little_advisor" }, { "open_kfid": "wkOrders", "persona": "little_advisor" }]
  } }
}
JSON
  export ZHIYIN_SIM_SECRET="$platform_secret" ZHIYIN_SIM_CALLBACKS="$platform_secret-callbacks" ZHIYIN_SIM_TOKEN="$platform_token" ZHIYIN_SIM_KEY="$platform_key"
  platform_options=(--channels "$folder/channels.json")
  say "企业微信模拟器 / A simulated WeCom, with phones: $platform_url"
  say "  试一试 / Try: 用手机扫“door”码 → 收到欢迎语；在知音里看这位会员和标签；扫群码进群；几分钟后收到一条一对一消息（员工确认后）"
  say "  会员页 http://$listen/m/ : 用模拟器里任一手机号登录，验证码在它的短信里 / members' pages: sign in there with any phone number; its code is on the simulator's page"
  say "  scan the code «door» with a phone and be welcomed; see the member and their tag here; join the group by its code; a little later"
  say "  staff has a message to confirm, and the phone gets it. What is set up: zhiyin channel test wecom --channels ${folder#"$root/"}/channels.json"
}
