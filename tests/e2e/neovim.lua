-- A user of Neovim: opens the failing test, takes the fix, applies it, saves.
-- Run with `nvim --headless --clean -l neovim.lua`; prints one JSON object.

local server = vim.json.decode(vim.env.BONAFIX_SERVER)
local options = vim.json.decode(vim.env.BONAFIX_OPTIONS)
local deadline = vim.uv.now() + 240 * 1000 -- milliseconds
local report = { messages = {}, titles = {} }

vim.lsp.handlers['window/showMessage'] = function(_, params)
  table.insert(report.messages, params.message)
end

local function finish(problem)
  report.problem = problem
  io.stdout:write(vim.json.encode(report) .. '\n')
  vim.lsp.stop_client(vim.lsp.get_clients())
  vim.wait(10 * 1000, function() return #vim.lsp.get_clients() == 0 end, 50)
  os.exit(problem and 1 or 0)
end

local function await(what, done)
  vim.uv.update_time()
  local left = math.max(0, deadline - vim.uv.now())
  if not vim.wait(left, done, 50) then finish('waited in vain for ' .. what) end
end

local function said(pattern)
  for _, message in ipairs(report.messages) do
    if message:match(pattern) then return message end
  end
end

-- Runs the code action whose title matches, as the user's key would.
local function act(pattern)
  vim.lsp.buf.code_action({
    apply = true,
    filter = function(action)
      table.insert(report.titles, action.title)
      return action.title:match(pattern) ~= nil
    end,
  })
end

vim.api.nvim_create_autocmd('FileType', {
  pattern = 'python',
  callback = function(event)
    vim.lsp.start({
      name = 'bonafix',
      cmd = server,
      root_dir = vim.fn.getcwd(),
      init_options = options,
    }, { bufnr = event.buf })
  end,
})
vim.cmd('filetype on')
vim.cmd.edit('test_calc.py')
local test = vim.api.nvim_get_current_buf()

await('the diagnostic', function() return #vim.diagnostic.get(test) > 0 end)
local shown = vim.diagnostic.get(test)[1]
report.diagnostic = {
  line = shown.lnum, source = shown.source, code = shown.code, message = shown.message,
}
vim.api.nvim_win_set_cursor(0, { shown.lnum + 1, shown.col })

act('^Fix .* with Bonafix$')
await('the fix', function() return said('fix for .* is ready') or said('[Nn]o fix') end)

act('^Apply ')
await('the edit', function()
  local product = vim.fn.bufnr('calc.py')
  return product > 0 and vim.bo[product].modified
end)
await('its confirmation', function() return said('applied .* fix') end)

vim.cmd('wall')
await('the green run', function() return #vim.diagnostic.get(test) == 0 end)
finish(nil)
